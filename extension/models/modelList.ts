/** What there is to choose from: the catalogue with what of it is here, and model files of one's own and of other tools. */
import { setImmediate as turn } from 'node:timers/promises';
import type { AskError } from '../errors.ts';
import type { HubFile } from './askHub.ts';
import { fileNameOf, type CatalogueEntry } from './catalogue.ts';
import { catalogue } from './catalogueEntries.ts';
import { aboutBytes } from './expectedTensors.ts';
import { localModel } from './findModel.ts';
import { judgeModelFile } from './judgeModel.ts';
import type { MachineFacts } from './machine.ts';
import { processBytes } from './memoryEstimate.ts';
import { modelsOfOtherTools, type ToolName } from './otherTools.ts';
import { ownModels } from './ownModels.ts';
import { judge, recommend, roomFor, usualBytes, type Recommendations, type Room } from './recommend.ts';

export interface ModelList {
  readonly recommendations: Recommendations;
  /** All of the catalogue, in its order. */
  readonly catalogue: readonly ListedEntry[];
  /** Files that the catalogue does not know: of the own folder, then of other tools. */
  readonly files: readonly ListedFile[];
}

export interface ListedEntry extends Room {
  readonly entry: CatalogueEntry;
  readonly here: boolean;
  /** Size of the file; computed where nobody here has seen it. */
  readonly bytes: number;
  readonly neededBytes: number;
}

export interface ListedFile {
  /** Null: of the own folder. */
  readonly tool: ToolName | null;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** What answering with it takes, or why it is refused. */
  readonly judgement: (Room & { readonly neededBytes: number }) | { readonly refused: AskError };
}

/** A file of a repository, judged by its size alone. */
export interface ListedHubFile extends HubFile, Room {
  /** As its name says: "Q4_K_M"; undefined where it does not. */
  readonly quantisation: string | undefined;
  readonly neededBytes: number;
}

/** Reads the headers of the files that it finds; nothing is loaded, and no network is used. */
export async function listModels(folder: string, machine: MachineFacts): Promise<ModelList> {
  const entries = catalogue.map(async (entry): Promise<ListedEntry> => {
    const { here } = await localModel(entry.name, folder);
    return { entry, here, bytes: aboutBytes(entry), ...judge(entry, machine) };
  });
  const known = new Set(catalogue.map(fileNameOf));
  const own = (await ownModels(folder))
    .filter(({ path, unfinished }) => !unfinished && !known.has(path.split(/[\\/]/).at(-1) ?? ''))
    .map(({ name, path, bytes }) => ({ tool: null, name, path, bytes }));
  const files: ListedFile[] = [];
  for (const file of [...own, ...(await modelsOfOtherTools(folder))]) {
    // A header takes some milliseconds, and there may be dozens.
    await turn();
    files.push({ ...file, judgement: judgement(file.path, machine) });
  }
  return { recommendations: recommend(machine, catalogue), catalogue: await Promise.all(entries), files };
}

/** For rows and buffers, about a tenth of the weights, as those of the catalogue take whose heads share keys. */
const SHARE_BESIDE_WEIGHTS = 0.1;

export function listedHubFiles(files: readonly HubFile[], machine: MachineFacts): readonly ListedHubFile[] {
  return files.map(({ file, bytes }) => {
    const neededBytes = bytes * (1 + SHARE_BESIDE_WEIGHTS) + processBytes;
    return { file, bytes, quantisation: quantisationOf(file), neededBytes, ...roomFor(neededBytes, machine) };
  });
}

/** Names are written by people: what llama.cpp calls its file types, between signs that are in no word. */
function quantisationOf(file: string): string | undefined {
  const types =
    /(?<![A-Z0-9])(?:I?Q\d(?:_\d|_[KSML]|_X{1,3}S|_NL|_XL){0,3}|TQ\d_0|MXFP4|BF16|F16|F32|FP16)(?![A-Z0-9])/gi;
  return file.match(types)?.at(-1)?.toUpperCase();
}

function judgement(path: string, machine: MachineFacts): ListedFile['judgement'] {
  const judged = judgeModelFile(path);
  if (!judged.served) return { refused: judged.error };
  const neededBytes = usualBytes(judged.header);
  return { neededBytes, ...roomFor(neededBytes, machine) };
}
