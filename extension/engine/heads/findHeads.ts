/** The heads of a model without an entry: taken from the disk, or found once and kept there. */
import type { LoadedEngine } from '../loadedEngine.ts';
import { attentionOfHeads } from './attentionOfHeads.ts';
import {
  calibrationFunctions,
  functionsPerDocument,
  type CalibrationFunction,
} from './calibrationFunctions.ts';
import { chooseHeads, type ChosenHeads, type DocumentAttention } from './chooseHeads.ts';
import { readHeads, writeHeads } from './headsFile.ts';

export interface HeadFinder {
  /** Takes those that were found before; leaves the engine as it is when there are none. */
  readonly restore: () => Promise<void>;
  /**
   * Finds them, unless they are known. Stopped by its signal it goes on the next time, after the last whole document.
   * @throws errors.cancelled, errors.decodeFailed, errors.memoryRanOut
   */
  readonly find: (signal: AbortSignal) => Promise<void>;
}

/**
 * @param folder where they are kept. @param functions what they are chosen by
 */
export function createHeadFinder(
  engine: LoadedEngine,
  folder: string,
  log: (line: string) => void,
  functions: readonly CalibrationFunction[] = calibrationFunctions,
): HeadFinder {
  const documents: DocumentAttention[] = [];

  async function restore(): Promise<void> {
    if (engine.knowsHeads) return;
    const found = await readHeads(folder, engine.fingerprint, log);
    if (found !== null) engine.useHeads(found);
  }

  return {
    restore,
    async find(signal) {
      await restore();
      if (engine.knowsHeads) return;
      const begin = performance.now();
      const { model, pace } = engine;
      const hooks = { pace, signal };
      const found = chooseHeads(
        await attentionOfHeads(model, functions, functionsPerDocument, documents, hooks),
      );
      await writeHeads(folder, engine.fingerprint, found, log);
      engine.useHeads(found);
      documents.length = 0;
      log(`heads: ${sentence(found)}, ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    },
  };
}

function sentence({ evidence, ranking, evidenceRank, rankingRank }: ChosenHeads): string {
  const part = (found: ChosenHeads['evidence'], rank: number | null, does: string): string =>
    `${found?.length ?? 'none'} that ${does} (mean reciprocal rank ${rank?.toFixed(2) ?? 'not known'})`;
  return `${part(evidence, evidenceRank, 'find evidence')}, ${part(ranking, rankingRank, 'rank')}`;
}
