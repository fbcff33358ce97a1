/** The model for what the user named: an entry of the catalogue, a reference to Hugging Face, or a path. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errors, isAskError } from '../errors.ts';
import { replaceFile } from '../replaceFile.ts';
import { askHubFile } from './askHub.ts';
import { defaultModelName, findEntry } from './catalogue.ts';
import { discardPart } from './download.ts';
import { aboutBytes } from './expectedTensors.ts';
import {
  hubFileName,
  hubModelFile,
  mirroredAddress,
  parseHubReference,
  type HubRecord,
  type HubReference,
} from './huggingFace.ts';
import {
  getModelFile,
  unfinishedBytes,
  verifyModelFile,
  type GetModelOptions,
  type ModelFile,
} from './modelFile.ts';
import { fileSize, makeFolder, modelFolder, processorCopyPath, writeError } from './modelFolder.ts';

export interface ResolveOptions extends GetModelOptions {
  /** Where model files are kept; `modelFolder()` when absent. */
  readonly folder?: string;
  /** False where the network may only be used once the user has said so. */
  readonly mayDownload?: boolean;
}

export interface LocalModel {
  /** Its file is on this machine, whole by its size; what is in it is verified when the model is resolved. */
  readonly here: boolean;
  /** For people. */
  readonly name: string;
  /** Size of the file; about, for a model of the catalogue whose `entry` is null; 0 when that cannot be known. */
  readonly bytes: number;
  /** Of a download that was begun and is not whole. */
  readonly haveBytes: number;
  /** Absolute: where the file is, or is going to be. */
  readonly path: string;
  /** How the file is verified; null for one given by its path, and for one of which the hub was not asked yet. */
  readonly entry: ModelFile | null;
  /** Of a model on Hugging Face. */
  readonly hub: HubReference | null;
}

export interface FoundModel {
  /** Absolute. */
  readonly path: string;
  /** For people. */
  readonly name: string;
  /** How the file was verified; null for one given by its path. */
  readonly entry: ModelFile | null;
}

/**
 * The model file for a name of the catalogue (the default model when absent) or a reference to Hugging Face, downloaded
 * when it is not here yet, or for a path, which is taken as it is.
 * Throws errors.modelNotFound, errors.modelNotHere when it may not be downloaded, what `getModelFile` throws and, for a
 * reference, what `askHubFile` throws.
 */
export async function resolveModel(
  nameOrPath: string | undefined,
  { folder = modelFolder(), mayDownload = true, ...options }: ResolveOptions,
): Promise<FoundModel> {
  const known = await localModel(nameOrPath, folder);
  const isHere =
    known.here && (known.entry === null || (await verifyModelFile(known.entry, folder, options)));
  if (isHere) return { path: known.path, name: known.name, entry: known.entry };
  if (known.entry === null && known.hub === null) throw errors.modelNotFound(known.path);
  if (!mayDownload) {
    throw known.entry === null
      ? errors.hubModelNotHere(known.name)
      : errors.modelNotHere(known.name, known.bytes);
  }
  // The hub is asked again, since what it said may be from long ago; what is begun goes on if the file is the same.
  const { name, path, entry } = known.hub === null ? known : await askHub(known, known.hub, folder, options);
  if (entry === null) throw errors.modelNotFound(path);
  return { path: await getModelFile(entry, folder, options), name, entry };
}

/** Whether a model is on this machine. Looks at names and sizes alone: no network, and nothing is hashed. */
export async function localModel(
  nameOrPath: string | undefined,
  folder: string = modelFolder(),
): Promise<LocalModel> {
  const entry = findEntry(nameOrPath ?? defaultModelName);
  if (entry?.verification.kind === 'sha256') {
    return localFile({ name: entry.name, ...entry.verification }, folder, null);
  }
  const hub = parseHubReference(entry?.verification.reference ?? nameOrPath ?? '') ?? null;
  const path = hub === null ? resolve(nameOrPath ?? '') : join(folder, hubFileName(hub));
  const record = hub === null ? undefined : await readRecord(path);
  if (hub !== null && record !== undefined) {
    const file = hubModelFile(hub, record);
    return localFile({ ...file, name: entry?.name ?? file.name }, folder, hub);
  }
  // Without a word of the hub, a file in its place was brought by hand, and is taken as it is.
  const namesFile = hub === null || hub.file !== undefined;
  const bytes = namesFile ? await fileSize(path) : undefined;
  const name = entry?.name ?? (namesFile ? basename(path, '.gguf') : hub.repository);
  const expected = entry === undefined ? 0 : aboutBytes(entry);
  const here = bytes !== undefined;
  return { here, name, bytes: bytes ?? expected, haveBytes: 0, path, entry: null, hub };
}

/** As `localModel`, but the hub is asked for a size of which nothing is known. Throws what it answers. */
export async function lookUpModel(
  nameOrPath: string | undefined,
  { folder = modelFolder(), ...options }: Omit<ResolveOptions, 'mayDownload'>,
): Promise<LocalModel> {
  const model = await localModel(nameOrPath, folder);
  const isKnown = model.bytes > 0 || model.hub === null;
  return isKnown ? model : askHub(model, model.hub, folder, options);
}

/** All files that belong to a model file, itself first: what goes when the model is deleted. */
export function filesOfModel(path: string): readonly string[] {
  const part = `${path}.part`;
  const copy = processorCopyPath(path);
  return [path, `${path}.verified`, part, `${part}.etag`, recordPath(path), copy, `${copy}.part`];
}

async function localFile(file: ModelFile, folder: string, hub: HubReference | null): Promise<LocalModel> {
  const { name, bytes, fileName } = file;
  const path = join(folder, fileName);
  const here = (await fileSize(path)) === bytes;
  return { here, name, bytes, haveBytes: here ? 0 : await unfinishedBytes(path), path, entry: file, hub };
}

/** Asks the hub, and keeps what it says beside the file, so that the file is known again without the network. */
async function askHub(
  { name, path }: LocalModel,
  hub: HubReference,
  folder: string,
  { signal, access = {} }: GetModelOptions,
): Promise<LocalModel> {
  const before = await readRecord(path);
  const record = await askHubFile(hub, { signal, access }).catch((error: unknown) => {
    if (!isAskError(error, 'downloadFailed') || hub.file === undefined) throw error;
    const { sources } = hubModelFile(hub, { commit: hub.revision, bytes: 0, sha256: '' });
    const [url] = sources.flatMap((source) => (source.kind === 'http' ? [source.url] : []));
    const { template, args } = error;
    throw errors.modelNotDownloaded(name, [{ template, args }], mirroredAddress(url ?? '', access), path);
  });
  await makeFolder(dirname(path));
  // What was begun is of another file.
  if (before !== undefined && before.sha256 !== record.sha256) await discardPart(path);
  try {
    await replaceFile(recordPath(path), JSON.stringify(record));
  } catch (error) {
    throw await writeError(error, dirname(path), 0);
  }
  return localFile({ ...hubModelFile(hub, record), name }, folder, hub);
}

function recordPath(path: string): string {
  return `${path}.hub`;
}

/** A record that cannot be read is none: the hub is asked again. */
async function readRecord(path: string): Promise<HubRecord | undefined> {
  const text = await readFile(recordPath(path), 'utf8').catch(() => '{}');
  try {
    const record: unknown = JSON.parse(text);
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is HubRecord {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, isRight: (field: unknown) => boolean): boolean =>
    Object.entries(value).some(([key, field]) => key === name && isRight(field));
  return (
    has('commit', (commit) => typeof commit === 'string') &&
    has('bytes', (bytes) => Number.isSafeInteger(bytes)) &&
    has('sha256', (sha256) => typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256))
  );
}
