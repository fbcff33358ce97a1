/** Ignores the request to end and SIGTERM. */
import { openWire } from './wire.mjs';

process.on('SIGTERM', () => undefined);
const connection = openWire();
connection.onRequest('shutdown', () => new Promise(() => {}));
connection.listen();
process.stdin.removeAllListeners('end');
setInterval(() => undefined, 1_000);
