/**
 * Getting CUDA by clicks. A stand-in for npm brings tarballs that the test makes, in a copy of the extension whose list of
 * packages has their checksums: all else of it is the extension as built.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cudaPackages, cudaVersion, type CudaPackage } from '../../../extension/cuda/cudaPackages.ts';
import { ferryFolder } from '../workspaces.ts';
import { useWorkbench } from './useWorkbench.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-cuda-'));
afterAll(() => rmSync(folder, { recursive: true }));

const packages = cudaPackages() ?? [];
const libraryBytes = 1_500_000;
const tarballs = packages.map(makeTarball);
const extensionFolder = copyOfExtension();
const bin = join(folder, 'bin');

/** A library that cannot be loaded, and that packing makes no smaller. */
function makeTarball({ name, version }: CudaPackage, index: number): string {
  const from = join(folder, 'made', basename(name));
  const bins = join(from, 'package/bins/linux-x64-cuda');
  const library = join(bins, index === 0 ? 'libggml-cuda.so' : 'fallback/libggml-cuda.so');
  mkdirSync(dirname(library), { recursive: true });
  writeFileSync(library, randomBytes(libraryBytes));
  mkdirSync(join(folder, 'tarballs'), { recursive: true });
  const tarball = join(folder, 'tarballs', `${basename(name)}-${version}.tgz`);
  execFileSync('tar', ['-czf', tarball, '-C', from, 'package']);
  return tarball;
}

function copyOfExtension(): string {
  const copy = join(folder, 'extension');
  mkdirSync(join(copy, 'dist'), { recursive: true });
  const link = (path: string): void => symlinkSync(join(root, path), join(copy, path));
  for (const name of readdirSync(root)) if (name !== 'dist') link(name);
  for (const name of readdirSync(join(root, 'dist'))) if (name !== 'extension.cjs') link(`dist/${name}`);
  let program = readFileSync(join(root, 'dist/extension.cjs'), 'utf8');
  for (const [index, { integrity }] of packages.entries()) {
    const parts = program.split(integrity);
    expect(parts).toHaveLength(2);
    program = parts.join(integrityOf(tarballs[index] ?? ''));
  }
  writeFileSync(join(copy, 'dist/extension.cjs'), program);
  return copy;
}

function integrityOf(path: string): string {
  return `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
}

/** From now on the npm that is found is one that does so; `brings` is one that works. */
function npm(does: 'brings' | 'hangs' | 'truncates' | 'fails'): void {
  mkdirSync(bin, { recursive: true });
  const standIn = join(root, 'test/unit/cuda/standInNpm.mjs');
  const env = `STAND_IN=${does} STAND_IN_TARBALLS='${join(folder, 'tarballs')}'`;
  const script = `#!/bin/sh\n${env} exec '${process.execPath}' '${standIn}' "$@"\n`;
  writeFileSync(join(bin, 'npm'), script, { mode: 0o755 });
}

describe.runIf(packages.length > 0)('CUDA', () => {
  npm('brings');
  const workbench = useWorkbench({
    workspace: ferryFolder,
    extensionFolder,
    // With the second one VS Code asks no shell for a PATH of its own.
    env: { PATH: [bin, process.env['PATH']].join(delimiter), VSCODE_CLI: '1' },
    machineSettings: { 'askCodebase.modelFolder': join(folder, 'models'), 'askCodebase.index': false },
  });
  const row = (text: string) => workbench().quickRows().filter({ hasText: text });
  const place = () => join(workbench().userDataFolder, 'User/globalStorage/ask-codebase.ask-codebase/cuda');
  const whatIsThere = () => (existsSync(place()) ? readdirSync(place()) : []);

  async function askToGet(): Promise<void> {
    await workbench().runCommand('Ask Codebase: Get CUDA');
    const dialog = workbench().dialog('320 MB are fetched with npm, and 563 MB of the disk are taken');
    await dialog.getByText("It needs NVIDIA's driver").waitFor();
    await dialog.getByRole('button', { name: 'Get CUDA' }).click();
  }

  it('tells its size first, then how far it is; cancelled, nothing stays', async () => {
    npm('hangs');
    await askToGet();
    const progress = workbench().notification('Getting CUDA');
    await progress.getByText('Downloading 2 MB / 320 MB').waitFor();
    await workbench().screenshot('get-cuda-progress');
    expect(whatIsThere()).toContain('arriving');
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await progress.waitFor({ state: 'detached' });
    await expect.poll(whatIsThere).toEqual([]);
  });

  it('a file with another checksum is refused with what to do, and nothing stays', async () => {
    npm('truncates');
    await askToGet();
    const refusal = workbench().notification(`${packages[0]?.name}@${cudaVersion} arrived damaged: sha512-`);
    await refusal.getByText('Mend that and try again, or bring the files by hand.').waitFor();
    await workbench().screenshot('get-cuda-damaged');
    expect(whatIsThere()).toEqual([]);
    npm('brings');
    await refusal.getByRole('button', { name: 'Get CUDA' }).click();
    await workbench().dialog('320 MB').getByRole('button', { name: 'Cancel' }).click();
  });

  it('fetched, it is there whole, and what the machine lacks for it is said', async () => {
    await askToGet();
    // No machine can load these libraries: without a driver, that is what is said.
    await workbench()
      .notification(/CUDA cannot run here|could not be loaded/)
      .waitFor();
    expect(whatIsThere()).toEqual([cudaVersion]);
    expect(readdirSync(join(place(), cudaVersion)).toSorted()).toEqual(['fallback', 'libggml-cuda.so']);
    await workbench().runCommand('Ask Codebase: Get CUDA');
    await workbench().notification('CUDA is on this machine and takes 3 MB.').waitFor();
  });

  it('Manage Models shows what it takes, and deletes it', async () => {
    await workbench().runCommand('Ask Codebase: Manage Models');
    await row('CUDA').filter({ hasText: '3 MB' }).click();
    const dialog = workbench().dialog('Delete CUDA? 3 MB become free.');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await workbench().page.getByPlaceholder('There is none in').waitFor();
    expect(whatIsThere()).toEqual([]);
    await workbench().page.keyboard.press('Escape');
  });

  it('files that were brought by hand are taken, one after the other where the dialog gives one', async () => {
    npm('fails');
    await workbench().runCommand('Ask Codebase: Get CUDA');
    await workbench().dialog('320 MB').getByRole('button', { name: 'Choose Files…' }).click();
    for (const [index, tarball] of tarballs.entries()) {
      await workbench()
        .page.getByText(`${index + 1} / ${tarballs.length}: @node-llama-cpp`)
        .waitFor();
      // The dialog looks up its own folder first, and then what is typed; until each is done, it takes nothing.
      await row('..').waitFor();
      await workbench().quickInput().fill(tarball);
      await row(basename(tarball)).waitFor();
      await workbench().page.locator('.quick-input-widget:visible').getByText('OK').click();
    }
    await expect.poll(whatIsThere, { timeout: 30_000 }).toEqual([cudaVersion]);
  });
});
