/** Well-behaved until its last answer, after which it is gone before the client has read it. */
import { openWire, answerOf } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', ({ requestId }) => {
  for (let i = 0; i < 200; i++) void connection.sendNotification('text', { requestId, text: 'x' });
  setImmediate(
    () =>
      void connection.sendNotification('queue', { running: null, waiting: [] }).then(() => process.exit(0)),
  );
  return answerOf('x'.repeat(200));
});
connection.listen();
