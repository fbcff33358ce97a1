/** A library that prints on standard output, in the middle of the wire. */
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('countTokens', ({ texts }) => {
  process.stdout.write('llama_model_loader: - kv 0: general.architecture\n');
  return { counts: texts.map(() => 0) };
});
connection.listen();
