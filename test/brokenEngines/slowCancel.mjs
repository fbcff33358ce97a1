/** Stops 300 ms after it was told to, except for the question "never", which does not stop. */
import { openWire, answerOf } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', ({ question }, token) => {
  return new Promise((resolve) => {
    if (question === 'never') return;
    token.onCancellationRequested(() => setTimeout(resolve, 300, answerOf('too late')));
  });
});
connection.listen();
