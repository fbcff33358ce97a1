/** Streams half of an answer and is killed, as by the system when memory runs out. */
import { openWire } from './wire.mjs';

const connection = openWire();
connection.onRequest('ask', async ({ requestId }) => {
  await connection.sendNotification('text', { requestId, text: 'The first half' });
  process.kill(process.pid, 'SIGKILL');
});
connection.listen();
