/**
 * The index of this window's workspace, made in idle time: once a question was answered and the model is in the memory
 * anyway, giving way to every question, not on battery, and not while the user has paused it. Where none is wanted, the
 * heads of the model are found all the same, since answers need them, too.
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
  /** Finds the heads of the model in the memory, unless they are known. */
  readonly findHeads: (signal: AbortSignal) => Promise<void>;
  /** What may begin by itself: nothing without a model in the memory, only the heads where no index is wanted or kept. */
  readonly mayBegin: () => 'index' | 'heads' | 'nothing';
  readonly paused: { readonly get: () => boolean; readonly set: (paused: boolean) => Promise<void> };
  readonly log: Pick<vscode.LogOutputChannel, 'info' | 'error'>;
  readonly onChange: () => void;
}

type Work = (stop: AbortController, mindsBattery: boolean) => Promise<IndexProgress | undefined>;
interface Running {
  readonly work: Work;
  readonly stop: AbortController;
  readonly ended: Promise<IndexProgress | undefined>;
}

const restMs = 5_000;
const batteryCheckMs = 60_000;

export function createIndexing(parts: IndexingParts): Indexing {
  const { log, onChange, paused } = parts;
  let timer: NodeJS.Timeout | undefined;
  let running: Running | undefined;
  let percent: number | undefined;

  const soon = (afterMs = restMs): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void beginByItself(), afterMs);
    timer.unref();
  };

  async function beginByItself(): Promise<void> {
    const work = parts.mayBegin();
    if (running !== undefined || paused.get() || work === 'nothing') return;
    if (await isOnBattery()) {
      log.info('index: waits for mains power');
      soon(batteryCheckMs);
      return;
    }
    // What was indexed stays, and the next time it goes on from there.
    const runs = work === 'index' ? run(index, true) : run(findHeads, true);
    await runs.catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  }

  function run(work: Work, mindsBattery: boolean): Promise<IndexProgress | undefined> {
    if (running !== undefined) return running.ended;
    const stop = new AbortController();
    const ended = work(stop, mindsBattery).finally(() => {
      running = undefined;
      percent = undefined;
      onChange();
    });
    running = { work, stop, ended };
    return ended;
  }

  async function findHeads(stop: AbortController): Promise<undefined> {
    try {
      await parts.findHeads(stop.signal);
    } catch (error) {
      if (!isAskError(error, 'cancelled')) throw error;
    }
  }

  /** What is asked for goes on with what runs, unless that is less. */
  async function indexNow(): Promise<IndexProgress | undefined> {
    if (running?.work === findHeads) await stopRunning();
    return run(index, false);
  }

  async function index(stop: AbortController, mindsBattery: boolean): Promise<IndexProgress | undefined> {
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
    now: indexNow,
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
