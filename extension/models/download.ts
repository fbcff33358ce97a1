/**
 * One file over HTTP into a part file beside its destination. Whatever breaks off is resumed by a range request,
 * also by a later process; what is complete is verified and only then gets its name.
 * Own code, since node-llama-cpp's downloader checks neither a checksum nor whether the file changed between two
 * ranges, and takes over 400 ms to import.
 */
import { open, readFile, rename, rm, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ReadableStreamDefaultReader } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, isAskError, type AskError } from '../errors.ts';
import type { SentenceArgument } from '../protocol/sentence.ts';
import { downloadProblem, downloadTexts } from './downloadProblems.ts';
import {
  follow,
  isTemporary,
  linkedSha256,
  NetworkError,
  networkProblem,
  retryAfter,
  ServerError,
  statusProblem,
} from './http.ts';
import { checkDisk, fileSize, writeError } from './modelFolder.ts';
import { sha256OfFile } from './sha256.ts';

/** Tries in a row that bring not one byte. */
const TRY_LIMIT = 5;
const FIRST_WAIT_MILLISECONDS = 1_000;
/** The longest wait that a server's Retry-After gets. */
const LONGEST_WAIT_MILLISECONDS = 60_000;
/** Without a byte for so long the connection counts as lost. */
const IDLE_MILLISECONDS = 30_000;

export interface DownloadRequest {
  readonly url: string;
  /** The destination; the part file is this with `.part` appended. */
  readonly path: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Sent to the host of `url` alone. */
  readonly token?: string | undefined;
  /** What an answer means where the reader of it knows better than by its status. */
  readonly refusal?: (answer: Response) => AskError | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (stage: 'downloading' | 'verifying', doneBytes: number) => void;
}

/** What a test shortens or watches. */
export interface DownloadTiming {
  readonly idleMilliseconds: number;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Throws errors.cancelled, errors.diskFull, errors.cacheFolderNotWritable, errors.checksumMismatch, or
 * errors.downloadFailed with what the server did, or what `refusal` gives. The part file is kept unless its content proved wrong.
 */
export async function download(
  request: DownloadRequest,
  timing: DownloadTiming = defaultTiming,
): Promise<void> {
  const folder = dirname(request.path);
  const partPath = `${request.path}.part`;
  try {
    if (((await fileSize(partPath)) ?? 0) > request.bytes) await discard(partPath);
    await checkDisk(folder, request.bytes - ((await fileSize(partPath)) ?? 0));
    await fetchAll(request, partPath, timing);
    request.onProgress?.('verifying', 0);
    const actual = await sha256OfFile(partPath, request.signal, (done) =>
      request.onProgress?.('verifying', done),
    );
    if (actual !== request.sha256) {
      await discard(partPath);
      throw errors.checksumMismatch(request.url, request.sha256, actual);
    }
    await rename(partPath, request.path);
    await rm(validatorPath(partPath), { force: true });
  } catch (error) {
    if (isAskError(error)) throw error;
    if (request.signal.aborted) throw errors.cancelled();
    const meaning = await writeError(error, folder, request.bytes - ((await fileSize(partPath)) ?? 0));
    throw isAskError(meaning) ? meaning : errors.downloadFailed(request.url, [meaning.message]);
  }
}

const defaultTiming: DownloadTiming = {
  idleMilliseconds: IDLE_MILLISECONDS,
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** Asks again, with growing waits, until the part file has all bytes. */
async function fetchAll(request: DownloadRequest, partPath: string, timing: DownloadTiming): Promise<void> {
  let triesInVain = 0;
  for (;;) {
    const before = (await fileSize(partPath)) ?? 0;
    if (before === request.bytes) return;
    const outcome = await fetchOnce(request, partPath, before, timing.idleMilliseconds);
    if (request.signal.aborted) throw errors.cancelled();
    if (outcome.kind === 'final') throw errors.downloadFailed(request.url, [outcome.problem]);
    const after = (await fileSize(partPath)) ?? 0;
    if (after === request.bytes) return;
    triesInVain = after > before ? 0 : triesInVain + 1;
    if (triesInVain === TRY_LIMIT) {
      throw errors.downloadFailed(request.url, [
        downloadProblem(downloadTexts.timesInARow, outcome.problem, TRY_LIMIT),
      ]);
    }
    const wait = outcome.retryAfterMilliseconds ?? FIRST_WAIT_MILLISECONDS * 2 ** triesInVain;
    await timing.wait(Math.min(wait, LONGEST_WAIT_MILLISECONDS), request.signal);
  }
}

type Outcome =
  | {
      readonly kind: 'again';
      readonly problem: SentenceArgument;
      readonly retryAfterMilliseconds?: number | undefined;
    }
  | { readonly kind: 'final'; readonly problem: SentenceArgument };

/** One request and its body. Failures to write are thrown; everything the network does is an outcome. */
async function fetchOnce(
  request: DownloadRequest,
  partPath: string,
  startByte: number,
  idleMilliseconds: number,
): Promise<Outcome> {
  const idle = idleTimer(idleMilliseconds);
  try {
    const signal = AbortSignal.any([request.signal, idle.signal]);
    const validator = startByte > 0 ? await readValidator(partPath) : undefined;
    const isEnough = (answer: Response): boolean => isAnotherFile(answer, request.sha256);
    const headers = rangeHeaders(startByte, validator);
    const answer = await follow({ url: request.url, headers, token: request.token, signal, isEnough });
    if (isEnough(answer)) {
      await answer.body?.cancel();
      const sha256 = linkedSha256(answer.headers);
      return { kind: 'final', problem: downloadProblem(downloadTexts.anotherFile, sha256 ?? '') };
    }
    const refusal = request.refusal?.(answer);
    if (refusal !== undefined) {
      await answer.body?.cancel();
      throw refusal;
    }
    const judged = judge(answer, startByte, request.bytes, validator);
    if ('kind' in judged) {
      await answer.body?.cancel();
      if (judged.kind === 'again' && judged.restart) await discard(partPath);
      return judged;
    }
    if (judged.firstByte === 0) await truncateFile(partPath);
    await writeValidator(partPath, answer.headers.get('etag'));
    return await saveBody(answer, request, partPath, judged.firstByte, idle.touch);
  } catch (error) {
    if (error instanceof NetworkError) {
      const problem = idle.signal.aborted
        ? downloadProblem(downloadTexts.silent, idleMilliseconds / 1000)
        : error.message;
      return { kind: 'again', problem };
    }
    if (error instanceof ServerError) return { kind: 'final', problem: error.problem };
    throw error;
  } finally {
    idle.stop();
  }
}

function rangeHeaders(startByte: number, validator: string | undefined): Record<string, string> {
  // Identity, since ranges and lengths would otherwise count compressed bytes.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (startByte > 0) headers['range'] = `bytes=${startByte}-`;
  if (validator !== undefined) headers['if-range'] = validator;
  return headers;
}

/** The hub vouches for the file before it redirects; what it has now may be another than is wanted. */
function isAnotherFile(answer: Response, sha256: string): boolean {
  const hubSha256 = linkedSha256(answer.headers);
  return hubSha256 !== undefined && hubSha256 !== sha256;
}

/** Where the body belongs in the file, or why it is of no use. */
function judge(
  answer: Response,
  startByte: number,
  bytes: number,
  validator: string | undefined,
): { readonly firstByte: number } | (Outcome & { readonly restart?: boolean }) {
  const { status, headers } = answer;
  if (status === 200) {
    const length = headers.get('content-length');
    if (length !== null && Number(length) !== bytes) {
      return { kind: 'final', problem: downloadProblem(downloadTexts.otherLength, length, bytes) };
    }
    return { firstByte: 0 };
  }
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    const total = range?.[2] === '*' ? bytes : Number(range?.[2]);
    const etag = headers.get('etag');
    const changed = validator !== undefined && etag !== null && etag !== validator;
    if (Number(range?.[1]) === startByte && total === bytes && !changed) return { firstByte: startByte };
    const problem = changed
      ? downloadProblem(downloadTexts.changed)
      : downloadProblem(downloadTexts.otherRange, startByte, headers.get('content-range') ?? '');
    return { kind: 'again', problem, restart: true };
  }
  if (status === 416) {
    return {
      kind: 'again',
      problem: downloadProblem(downloadTexts.otherRange, startByte, 'HTTP 416'),
      restart: true,
    };
  }
  if (isTemporary(status)) {
    return { kind: 'again', problem: `HTTP ${status}`, retryAfterMilliseconds: retryAfter(headers) };
  }
  return { kind: 'final', problem: statusProblem(status) };
}

async function saveBody(
  answer: Response,
  request: DownloadRequest,
  partPath: string,
  firstByte: number,
  touch: () => void,
): Promise<Outcome> {
  const file = await open(partPath, firstByte === 0 ? 'w' : 'r+');
  let position = firstByte;
  try {
    for await (const piece of networkPieces(answer)) {
      touch();
      if (position + piece.length > request.bytes) {
        await file.truncate(0);
        return { kind: 'final', problem: downloadProblem(downloadTexts.tooLong, request.bytes) };
      }
      await writeFully(file, piece, position);
      position += piece.length;
      request.onProgress?.('downloading', position);
    }
  } finally {
    await file.close();
  }
  return { kind: 'again', problem: downloadProblem(downloadTexts.ended, position, request.bytes) };
}

async function* networkPieces(answer: Response): AsyncGenerator<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = answer.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new NetworkError(networkProblem(error));
      });
      if (done) return;
      yield value;
    }
  } finally {
    // Leaving the loop early must close the connection; a stream that has failed already refuses, which is fine.
    await reader.cancel().catch(() => undefined);
  }
}

/** A full disk takes part of a write first and fails at the next one, so a short write is followed up. */
async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const result = await file.write(bytes, written, bytes.length - written, position + written);
    written += result.bytesWritten;
  }
}

function idleTimer(milliseconds: number): { signal: AbortSignal; touch: () => void; stop: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  return {
    signal: controller.signal,
    touch: () => {
      timer.refresh();
    },
    stop: () => clearTimeout(timer),
  };
}

function validatorPath(partPath: string): string {
  return `${partPath}.etag`;
}

async function readValidator(partPath: string): Promise<string | undefined> {
  return readFile(validatorPath(partPath), 'utf8').catch(() => undefined);
}

/** A weak ETag does not promise equal bytes, so it cannot vouch for a range. */
async function writeValidator(partPath: string, etag: string | null): Promise<void> {
  if (etag === null || etag.startsWith('W/')) await rm(validatorPath(partPath), { force: true });
  else await writeFile(validatorPath(partPath), etag);
}

async function truncateFile(partPath: string): Promise<void> {
  if ((await fileSize(partPath)) !== undefined) await truncate(partPath);
}

/** What another source has made superfluous. @param path the destination */
export async function discardPart(path: string): Promise<void> {
  await discard(`${path}.part`);
}

async function discard(partPath: string): Promise<void> {
  await rm(partPath, { force: true });
  await rm(validatorPath(partPath), { force: true });
}
