/** Closes its end of the pipe in the middle of a question and lives on. */
import { closeSync } from 'node:fs';
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', () => {
  closeSync(1);
  return new Promise(() => {});
});
connection.listen();
setInterval(() => undefined, 1_000);
