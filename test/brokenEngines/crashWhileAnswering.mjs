/** Aborts inside a question, as a native assertion does. */
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', () => {
  console.error('ggml.c:1: GGML_ASSERT(false) failed');
  process.abort();
});
connection.onRequest('countTokens', () => new Promise(() => {}));
connection.listen();
