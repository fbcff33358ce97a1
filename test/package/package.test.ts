/** What is in the VSIX files, and what is not. */
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isSecretName, isSecretText } from '../../extension/workspace/secrets.ts';
import { readRelease } from '../../scripts/release.ts';
import { carriedPackages, targetNames, type TargetName } from '../../scripts/targets.ts';
import { readArchive } from './archive.ts';
import { binaryPlatform } from './binaryPlatform.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bytesPerMegabyte = 1e6;
/** The largest carries llama.cpp twice, for the CPU and with Vulkan. */
const largestMegabytes = 50;
const archives = new Map(targetNames.map((target) => [target, readArchive(vsixPath(target))]));

describe.each(targetNames)('%s', (target) => {
  test('holds the files of its list and no others', async () => {
    const files = archives.get(target)!.map(({ path }) => path.replace(contentHash, '-*$1'));
    await expectGolden(`${target}.txt`, `${[...new Set(files)].join('\n')}\n`);
  });

  test('has libraries of its own platform alone, and all that the engine loads', () => {
    const libraries = archives.get(target)!.flatMap(({ path, read }) => {
      const platform = binaryPlatform(read());
      return platform === undefined ? [] : [{ path, platform }];
    });
    expect(libraries.filter(({ platform }) => platform !== target)).toEqual([]);
    const names = libraries.map(({ path }) => path);
    for (const { name } of carriedPackages(target).filter(({ name }) =>
      name.startsWith('@node-llama-cpp/'),
    )) {
      const own = names.filter((path) => path.includes(`/${name}/`)).map((path) => path.replace(/.*\//, ''));
      for (const pattern of [/^(lib)?llama\./, /^(lib)?ggml\./, /^(lib)?ggml-base\./, /^(lib)?ggml-cpu-/])
        expect(own).toContainEqual(expect.stringMatching(pattern));
      const gpu = /vulkan|metal/.exec(name)?.[0];
      if (gpu !== undefined) expect(own).toContainEqual(expect.stringMatching(`^(lib)?ggml-${gpu}\\.`));
    }
    expect(names.filter((path) => path.endsWith('/koffi.node'))).toHaveLength(1);
  });

  test('holds nothing of this machine and no secret', () => {
    for (const { path, read } of archives.get(target)!) {
      const bytes = read();
      expect(bytes.includes(repository.slice(0, -1)), path).toBe(false);
      // Libraries may tell the home of whoever built them, which can have the same name.
      const home = binaryPlatform(bytes) === undefined && bytes.includes(join(homedir(), '/'));
      expect(home || bytes.includes('_authToken'), path).toBe(false);
      expect(isSecretName(path) || isSecretText(bytes.toString('latin1')), path).toBe(false);
      if (/\.[cm]?js$/.test(path)) expect(bytes.includes('sourceMappingURL'), path).toBe(false);
    }
  });

  test('names every package that it holds in its notices, with the text of its licence', async () => {
    const notices = textOf(target, 'extension/THIRD-PARTY-NOTICES.txt');
    const bundled = (await readRelease(repository)).packageFolders.map((path) =>
      path.replace(/.*node_modules\//, ''),
    );
    const carried = carriedPackages(target).map(({ name }) => name);
    const grammars = ['web-tree-sitter', '@vscode/tree-sitter-wasm'];
    for (const name of [...bundled, ...carried, ...grammars, 'llama.cpp']) {
      const sections = notices.split(/^-{80}\n/m);
      const heading = sections.findIndex((section) => section.startsWith(`${name} `));
      expect(heading, name).toBeGreaterThan(0);
      expect(sections[heading + 1], name).toMatch(/permission|permitted|license/i);
    }
  });

  test('is a manifest without what only developers need, for this target', () => {
    const manifest: unknown = JSON.parse(textOf(target, 'extension/package.json'));
    expect(manifest).toMatchObject({ name: 'ask-codebase', main: './dist/extension.cjs' });
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(textOf(target, 'extension.vsixmanifest')).toContain(`TargetPlatform="${target}"`);
  });

  test('is no larger than a download should be', async () => {
    const { size } = await stat(vsixPath(target));
    console.log(`${target}: ${(size / bytesPerMegabyte).toFixed(1)} MB`);
    expect(size).toBeLessThan(largestMegabytes * bytesPerMegabyte);
  });
});

/** In chunk names: 8 letters and digits before the ending. */
const contentHash = /-[A-Z0-9]{8}(\.js)$/;

function vsixPath(target: TargetName): string {
  return join(repository, 'dist/vsix', `ask-codebase-${target}.vsix`);
}

function textOf(target: TargetName, path: string): string {
  const file = archives.get(target)!.find((file) => file.path === path);
  if (file === undefined) throw new Error(`${target} has no ${path}.`);
  return file.read().toString('utf8');
}

async function expectGolden(name: string, actual: string): Promise<void> {
  const path = join(import.meta.dirname, name);
  const actualPath = `${path}.actual`;
  if (process.env['UPDATE_GOLDENS'] === '1') await writeFile(path, actual);
  const expected = existsSync(path) ? await readFile(path, 'utf8') : '';
  if (actual === expected) return rm(actualPath, { force: true });
  await writeFile(actualPath, actual);
  expect(
    actual.split('\n'),
    `The files differ from test/package/${name}. What they are is in ${name}.actual; accept it with UPDATE_GOLDENS=1 npm run test:package`,
  ).toEqual(expected.split('\n'));
}
