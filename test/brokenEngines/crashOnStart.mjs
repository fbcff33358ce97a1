/** Fails before the first request, as when a native package is missing. */
console.error('Error: libllama.so: cannot open shared object file');
process.exit(3);
