/** Starts and says nothing. */
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
