/** Not an engine at all. */
process.stdout.write('Hello!\r\n\r\n');
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
