/**
 * Makes the VSIX files: `npm run package [-- TARGET…]`, all targets when none is named.
 * They are dist/vsix/ask-codebase-TARGET.vsix, and the same sources give the same bytes.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stage } from './stage.ts';
import { targetNames } from './targets.ts';

/** The bundle of this file is in dist/. */
const repository = fileURLToPath(new URL('..', import.meta.url));
const vsixFolder = join(repository, 'dist/vsix');
/** The time of every file in the archives: the first that a ZIP can hold, 1980-01-01, in seconds. */
const sourceDateEpoch = '315532800';
const bytesPerMegabyte = 1e6;

const named = process.argv.slice(2);
const unknown = named.filter((name) => !targetNames.some((target) => target === name));
if (unknown.length > 0) {
  console.error(`There is no target ${unknown.join(', ')}. The targets are ${targetNames.join(', ')}.`);
  process.exit(2);
}
await mkdir(vsixFolder, { recursive: true });
/** Of this run alone: others may run at the same time. */
const stages = await mkdtemp(join(tmpdir(), 'ask-codebase-package-'));
try {
  for (const target of targetNames) {
    if (named.length > 0 && !named.includes(target)) continue;
    const begin = performance.now();
    const file = join(vsixFolder, `ask-codebase-${target}.vsix`);
    const folder = join(stages, target);
    await stage(repository, target, folder, join(stages, 'packages'));
    const packed = join(vsixFolder, `${basename(stages)}.partial`);
    await pack(folder, target, packed);
    // At once, so that nobody reads half of it.
    await rename(packed, file);
    const { size } = await stat(file);
    const seconds = (performance.now() - begin) / 1000;
    console.log(
      `dist/vsix/ask-codebase-${target}.vsix  ${(size / bytesPerMegabyte).toFixed(1)} MB  ${seconds.toFixed(1)} s`,
    );
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(stages, { recursive: true, force: true });
}

/** Throws what vsce says when it refuses. */
async function pack(folder: string, target: string, file: string): Promise<void> {
  const vsce = join(repository, 'node_modules/@vscode/vsce/vsce');
  const args = ['package', '--target', target, '--out', file];
  const options = ['--allow-missing-repository', '--no-rewrite-relative-links'];
  try {
    await promisify(execFile)(process.execPath, [vsce, ...args, ...options], {
      cwd: folder,
      env: { ...process.env, SOURCE_DATE_EPOCH: sourceDateEpoch, TZ: 'UTC' },
      maxBuffer: 16 * 1024 * 1024, // 16 MiB of vsce's own report
    });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`vsce refuses ${target}: ${said}`);
  }
}
