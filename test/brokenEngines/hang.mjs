/** Answers `hello` and then never comes back from the first question. */
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', () => {
  for (;;);
});
connection.listen();
