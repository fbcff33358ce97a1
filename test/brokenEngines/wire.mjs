/** What the broken engines share: the wire, and a `hello` that agrees with whatever version the client speaks. */
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';

/** A connection that answers `hello` and, unless told otherwise, `status` and `shutdown`; not yet listening. */
export function openWire() {
  const connection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  connection.onRequest('hello', ({ protocolVersion }) => ({ protocolVersion, pid: process.pid }));
  connection.onRequest('status', () => ({ loadedModel: null, queue: { running: null, waiting: [] } }));
  connection.onRequest('shutdown', () => {
    setTimeout(() => process.exit(0), 20);
    return {};
  });
  process.stdin.on('end', () => process.exit(0));
  return connection;
}

export function answerOf(text) {
  return {
    outcome: 'answered',
    text,
    citations: [],
    evidence: [],
    thinEvidence: false,
    stopReason: 'endOfGeneration',
    statistics: {
      documentTokens: 0,
      keptTokens: 0,
      tokenBudget: 0,
      prefillTokens: 0,
      prefillSeconds: 0,
      scoreSeconds: 0,
      evictSeconds: 0,
      generatedTokens: 0,
      generateSeconds: 0,
      kvCacheBytes: 0,
      peakEngineBytes: 0,
      reused: 'none',
    },
  };
}
