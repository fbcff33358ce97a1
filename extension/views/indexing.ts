/**
 * The index of this window's workspace, made in idle time: once a question was answered and the model is in the memory
 * anyway, giving way to every question, not on battery, and not while the user has paused it.
 */
import * as vscode from 'vscode';
import { battery } from 'systeminformation';
import { isAskError } from '../errors.ts';
import type { IndexProgress } from '../indexWorkspace.ts';

export interface Indexing {
  /** 0 to 100 while it runs; undefined otherwise. */
  readonly percent: () => number | undefined;
  /** Begins after a while without a question, unless something is against it. */
  readonly soon: () => void;
  /**
   * The user asks for it: begins at once, whatever is against it, or goes on with what runs.
   * @returns what there is at the end; undefined when it was stopped
   * @throws AskError as `indexWorkspace` does
   */
  readonly now: () => Promise<IndexProgress | undefined>;
  readonly isPaused: () => boolean;
  readonly togglePause: () => Promise<void>;
  /** Resolves when it has ended; what was indexed stays. */
  readonly stop: () => Promise<void>;
}

export interface IndexingParts {
  /** Indexes what is not indexed yet. */
  readonly index: (signal: AbortSignal) => AsyncIterable<IndexProgress>;
  /** Whether it may begin by itself: it is wanted, there is where to keep it, and a model is in the memory. */
  readonly mayBegin: () => boolean;
  readonly paused: { readonly get: () => boolean; readonly set: (paused: boolean) => Promise<void> };
  readonly log: Pick<vscode.LogOutputChannel, 'info' | 'error'>;
  readonly onChange: () => void;
}

const restMs = 5_000;
const batteryCheckMs = 60_000;

export function createIndexing(parts: IndexingParts): Indexing {
  const { log, onChange, paused } = parts;
  let timer: NodeJS.Timeout | undefined;
  let running:
    { readonly stop: AbortController; readonly ended: Promise<IndexProgress | undefined> } | undefined;
  let percent: number | undefined;

  const soon = (afterMs = restMs): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void beginByItself(), afterMs);
    timer.unref();
  };

  async function beginByItself(): Promise<void> {
    if (running !== undefined || paused.get() || !parts.mayBegin()) return;
    if (await isOnBattery()) {
      log.info('index: waits for mains power');
      soon(batteryCheckMs);
      return;
    }
    // What was indexed stays, and the next time it goes on from there.
    await run(true).catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  }

  function run(mindsBattery: boolean): Promise<IndexProgress | undefined> {
    if (running !== undefined) return running.ended;
    const stop = new AbortController();
    const ended = work(stop, mindsBattery).finally(() => {
      running = undefined;
      percent = undefined;
      onChange();
    });
    running = { stop, ended };
    return ended;
  }

  async function work(stop: AbortController, mindsBattery: boolean): Promise<IndexProgress | undefined> {
    let nextCheck = performance.now() + batteryCheckMs;
    let last: IndexProgress | undefined;
    try {
      for await (const progress of parts.index(stop.signal)) {
        last = progress;
        percent = (100 * progress.filesDone) / Math.max(1, progress.filesTotal);
        onChange();
        if (progress.findsHeads) log.info('index: finds the heads of the model that rank, once');
        if (!mindsBattery || performance.now() < nextCheck) continue;
        nextCheck = performance.now() + batteryCheckMs;
        if (await isOnBattery()) {
          log.info('index: stopped until there is mains power');
          soon(batteryCheckMs);
          return undefined;
        }
      }
      if (last !== undefined) log.info(`index: ${sentence(last)}`);
      return last;
    } catch (error) {
      if (isAskError(error, 'cancelled')) return undefined;
      throw error;
    }
  }

  async function stopRunning(): Promise<void> {
    clearTimeout(timer);
    running?.stop.abort();
    await running?.ended.catch(() => undefined);
  }

  return {
    percent: () => percent,
    soon: () => soon(),
    now: () => run(false),
    isPaused: () => paused.get(),
    async togglePause() {
      const pausing = !paused.get();
      await paused.set(pausing);
      log.info(pausing ? 'index: paused' : 'index: goes on');
      if (pausing) await stopRunning();
      else soon(0);
      onChange();
    },
    stop: stopRunning,
  };
}

/** False where it cannot be told. */
async function isOnBattery(): Promise<boolean> {
  try {
    const { hasBattery, acConnected } = await battery();
    return hasBattery && !acConnected;
  } catch {
    return false;
  }
}

/** For the log. */
function sentence({ indexed, readable, tokens, seconds, served }: IndexProgress): string {
  if (!served) return 'for this model none is made: none of its heads rank clearly better than chance';
  const rest = indexed === readable ? '' : '; the rest does not fit the storage limit and is ranked by words';
  return `${indexed} of ${readable} files, ${tokens} tokens read in ${seconds.toFixed(1)} s${rest}`;
}
