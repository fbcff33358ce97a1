/** How fast this machine reads and answers, what that takes of its memory, and how long its workspace would take. */
import { randomUUID } from 'node:crypto';
import { defaultReadingLimit, type AskParts, type AskRequest } from './ask.ts';
import { AskError, errors } from './errors.ts';
import { loadModel } from './loadModel.ts';
import type { ProgressEvent } from './protocol/answerEvents.ts';
import type { DeviceReport, LoadResult } from './protocol/engine.ts';
import type { Passage } from './protocol/nouns.ts';
import { isSkipped } from './workspace/readSourceDocument.ts';

export interface MachineTest {
  readonly loaded: LoadResult;
  readonly devices: readonly DeviceReport[];
  readonly readingTokensPerSecond: number;
  readonly answeringTokensPerSecond: number;
  /** The engine's largest resident set. */
  readonly peakEngineBytes: number;
  readonly workspace: {
    readonly files: number;
    /** Estimated from a sample. */
    readonly tokens: number;
    /** To read all of it. */
    readonly seconds: number;
    /** What a question reads by default. */
    readonly automaticTokens: number;
    readonly automaticSeconds: number;
  };
}

type MachineTestRequest = Pick<
  AskRequest,
  'folders' | 'model' | 'device' | 'kvCacheType' | 'preset' | 'tokenBudget'
>;
type MachineTestParts = Pick<AskParts, 'findFiles' | 'readDocuments' | 'resolveModel' | 'engine'>;

/** About 2,000 tokens: long enough to be compressed, and for the speed to be steady. */
const testLines = 60;
const testAnswerTokens = 48;
const sampledFiles = 40;
const sampledCharacters = 4_000;

/**
 * Loads the model, reads and answers a text of its own, and walks over the workspace without reading it.
 * @throws AskError of any reason but those of questions; `cancelled` once the signal is aborted
 */
export async function testMachine(
  request: MachineTestRequest,
  parts: MachineTestParts,
  onProgress: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<MachineTest> {
  try {
    return await measure(request, parts, onProgress, signal);
  } catch (error) {
    if (signal.aborted) throw errors.cancelled();
    if (error instanceof AskError) throw error;
    throw errors.internal(error instanceof Error ? error.message : String(error), error);
  }
}

async function measure(
  request: MachineTestRequest,
  parts: MachineTestParts,
  onProgress: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<MachineTest> {
  const { engine, loaded } = await loadModel(request, parts, onProgress, signal);
  const { devices } = await engine.request('devices', { device: request.device }, signal);
  const requestId = randomUUID();
  const stopListening = engine.onProgress(({ requestId: id, ...progress }) => {
    if (id === requestId) onProgress({ event: 'progress', ...progress });
  });
  try {
    const { preset, tokenBudget } = request;
    const result = await engine.request(
      'ask',
      {
        ...{ requestId, preset, tokenBudget, question: testQuestion, history: [], answerSoFar: '' },
        ...{ passages: [testPassage()], maxAnswerTokens: testAnswerTokens, temperature: 0, seed: 0 },
      },
      signal,
    );
    if (result.outcome !== 'answered') throw errors.internal(`the engine says ${result.outcome}`, result);
    const { statistics } = result;
    const readingTokensPerSecond = speed(statistics.prefillTokens, statistics.prefillSeconds);
    return {
      ...{ loaded, devices, readingTokensPerSecond },
      answeringTokensPerSecond: speed(statistics.generatedTokens, statistics.generateSeconds),
      peakEngineBytes: statistics.peakEngineBytes,
      workspace: await measureWorkspace(request, parts, engine, readingTokensPerSecond, onProgress, signal),
    };
  } finally {
    stopListening();
  }
}

/** The tokens of all files, by the share of tokens in the characters of a sample spread over them. */
async function measureWorkspace(
  { folders, tokenBudget }: MachineTestRequest,
  { findFiles, readDocuments }: MachineTestParts,
  engine: Awaited<ReturnType<typeof loadModel>>['engine'],
  tokensPerSecond: number,
  onProgress: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<MachineTest['workspace']> {
  const found = await findFiles(folders, { signal });
  const total = found.files.length;
  const every = Math.ceil(total / sampledFiles);
  const texts: string[] = [];
  let files = 0;
  let characters = 0;
  for await (const document of readDocuments(found.files, { signal })) {
    if (isSkipped(document)) continue;
    if (files % every === 0) texts.push(document.text.slice(0, sampledCharacters));
    files++;
    characters += document.text.length;
    onProgress({ event: 'progress', stage: 'finding', done: files, total });
  }
  const { counts } = await engine.request('countTokens', { texts }, signal);
  const sampled = texts.reduce((sum, text) => sum + text.length, 0);
  const sampledTokens = counts.reduce((sum, count) => sum + count, 0);
  const tokens = sampled === 0 ? 0 : Math.round((characters * sampledTokens) / sampled);
  const automaticTokens = Math.min(tokens, defaultReadingLimit(tokensPerSecond, tokenBudget));
  return {
    ...{ files, tokens, seconds: tokens / tokensPerSecond, automaticTokens },
    automaticSeconds: automaticTokens / tokensPerSecond,
  };
}

const testQuestion = 'Which of these functions adds two numbers, and how is it called?';

/** Never the same twice, so that nothing of it was read before. */
function testPassage(): Passage {
  const name = randomUUID().slice(0, 8);
  const lines = Array.from(
    { length: testLines },
    (_, line) =>
      `export function add${line}_${name}(a: number, b: number): number { return a + b + ${line}; }`,
  );
  return { workspace: 'test', path: 'test.ts', startLine: 1, endLine: testLines, text: lines.join('\n') };
}

function speed(tokens: number, seconds: number): number {
  return tokens / Math.max(seconds, 1e-3);
}
