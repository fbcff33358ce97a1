/** Loads anything but "absent.gguf" after 30 ms; a question ends when it is cancelled, "exit" ends the process. */
import { answerOf, openWire } from './wire.mjs';
import { ResponseError } from 'vscode-jsonrpc/node.js';

const connection = openWire();
connection.onRequest('load', async ({ modelPath }) => {
  await new Promise((resolve) => setTimeout(resolve, 30));
  if (modelPath === 'absent.gguf') {
    const data = {
      reason: 'modelNotFound',
      template: 'The model file {0} does not exist',
      args: [modelPath],
      remedy: 'Check the path.',
    };
    throw new ResponseError(-32000, 'The model file absent.gguf does not exist', data);
  }
  return {
    modelName: modelPath,
    architecture: 'llama',
    deviceName: 'CPU',
    libraryVersion: 'none',
    layers: 1,
    offloadedLayers: 0,
    contextWindow: 8192,
    prefillTokensPerSecond: 1000,
    loadSeconds: 0.03,
    estimatedBytes: 123_000_000,
  };
});
connection.onRequest('ask', ({ question }, token) => {
  if (question === 'exit') process.exit(3);
  return new Promise((resolve) => {
    token.onCancellationRequested(() => resolve(answerOf('')));
  });
});
connection.listen();
