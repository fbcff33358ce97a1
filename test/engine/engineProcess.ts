/** The engine as it is shipped, in a process of its own, and what is asked of it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundledEngine } from '../../extension/engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../../extension/engineClient/engineClient.ts';
import type { AskParams, AnsweredResult } from '../../extension/protocol/engine.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

export function buildBundles(): void {
  execFileSync(process.execPath, ['esbuild.mjs', '--quiet'], { cwd: repository });
}

/** @param under the program before `node`, with its arguments: `unshare -rm`, for instance */
export function startBundledEngine(
  under: readonly string[] = [],
  onStderrLine: (line: string) => void = () => undefined,
): Promise<EngineClient> {
  const { command, args } = bundledEngine({ enginePath: `${repository}dist/engine.mjs` });
  const [program = command, ...rest] = [...under, command, ...args];
  return startEngine({ command: program, args: rest, onStderrLine });
}

/** One of this project's own source files, whole. */
export function ownSource(path: string): Passage {
  const text = readFileSync(`${repository}${path}`, 'utf8');
  return { workspace: 'main', path, startLine: 1, endLine: text.trimEnd().split('\n').length, text };
}

/** A greedy question with the default preset. */
/** @throws when it was not answered */
export async function askEngine(
  engine: EngineClient,
  params: Partial<AskParams> & Pick<AskParams, 'passages'>,
  signal?: AbortSignal,
): Promise<AnsweredResult> {
  const defaults = {
    requestId: 'question',
    question: 'What does this code do when the signal is aborted?',
    history: [],
    answerSoFar: '',
    preset: 'default',
    tokenBudget: 256,
    maxAnswerTokens: 8,
    temperature: 0,
    seed: 1,
  } as const;
  const result = await engine.request('ask', { ...defaults, ...params }, signal);
  if (result.outcome !== 'answered') throw new Error(`the engine says ${result.outcome}`);
  return result;
}

/** Whether a process has the inference library in its memory: without it no weights can be. */
export function hasInferenceLibrary(pid: number): boolean {
  return /libllama\./.test(readFileSync(`/proc/${pid}/maps`, 'utf8'));
}
