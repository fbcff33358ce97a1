/** An engine of another build: it answers with its own version and checks nothing. */
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('hello', ({ protocolVersion }) => ({
  protocolVersion: protocolVersion + 41,
  pid: process.pid,
}));
connection.listen();
