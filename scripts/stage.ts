/** A folder with exactly what one VSIX holds. Nothing gets in that is not named here, so no ignore file is needed. */
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { languageNames } from '../extension/retrieval/languages.ts';
import { lockedPackage, unpack } from './lockedPackage.ts';
import { llamaCppNotice, noticesFile, packageNotice, refuseCopyleftGrammars } from './notices.ts';
import { readRelease } from './release.ts';
import { carriedPackages, optionalImports, type CarriedPackage, type TargetName } from './targets.ts';

/**
 * Fills `folder`, which is emptied first, for one target. The release's bundles have to be built.
 * Throws when a package is not the one of the lock file, has no licence text, or is imported and not carried.
 * @param unpacked a folder for the packages' own files, as far as they are not there yet
 */
export async function stage(
  repository: string,
  target: TargetName,
  folder: string,
  unpacked: string,
): Promise<void> {
  const release = await readRelease(repository);
  const carried = carriedPackages(target);
  refuseMissing(release.imports, carried);
  refuseCopyleftGrammars(release.inputs);

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyDocuments(repository, folder);
  await cp(release.folder, join(folder, 'dist'), { recursive: true });
  await copyGrammars(repository, join(folder, 'dist/grammars'));
  for (const { name, files } of carried) {
    await unpackOnce(name, repository, join(unpacked, name));
    await copyMatching(join(unpacked, name), join(folder, 'node_modules', name), files);
  }
  await writeFile(join(folder, 'package.json'), await manifest(repository, unpacked, carried));

  const packageFolders = [
    ...release.packageFolders.map((path) => join(repository, path)),
    ...grammarPackages.map((name) => join(repository, 'node_modules', name)),
    ...carried.map(({ name }) => join(unpacked, name)),
  ];
  const nodeModules = join(repository, 'node_modules');
  const notices = await Promise.all([
    ...packageFolders.map((packageFolder) => packageNotice(packageFolder, nodeModules)),
    llamaCppNotice(repository),
  ]);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), noticesFile(notices));
}

/** At the top of the repository. */
const documents = /^(README\.md|CHANGELOG\.md|LICENSE|package\.nls(\..+)?\.json)$/;
const folders = ['l10n', 'media'];
/** Pictures that the README alone shows: the page of an installed extension finds none by a relative path. */
const readmePictures = ['media/screenshots', 'media/ask.svg', 'media/quality.svg'];
const pictures = /^(!\[.*\]\(media\/.*\)|<picture>[\s\S]*?<\/picture>)\n+/gm;
/** What the manifest says to npm and to developers. */
const developerKeys = new Set(['type', 'private', 'scripts', 'dependencies', 'devDependencies', 'overrides']);
/** Whose .wasm files lie in dist/grammars. */
const grammarPackages = ['web-tree-sitter', '@vscode/tree-sitter-wasm'];

async function copyDocuments(repository: string, folder: string): Promise<void> {
  for (const name of await readdir(repository)) {
    if (documents.test(name)) await copyFile(join(repository, name), join(folder, name));
  }
  const left = new Set(readmePictures.map((path) => resolve(repository, path)));
  for (const name of folders) {
    await cp(join(repository, name), join(folder, name), {
      recursive: true,
      filter: (source) => !left.has(resolve(source)),
    });
  }
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  await writeFile(join(folder, 'README.md'), readme.replace(pictures, ''));
}

async function copyGrammars(repository: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = [
    'web-tree-sitter/tree-sitter.wasm',
    ...languageNames.map((name) => `@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`),
  ];
  for (const file of files) {
    await copyFile(join(repository, 'node_modules', file), join(folder, file.replace(/^.*\//, '')));
  }
}

async function unpackOnce(name: string, repository: string, folder: string): Promise<void> {
  const isThere = await readdir(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) await unpack(await lockedPackage(name, join(repository, 'package-lock.json')), folder);
}

/** Throws when a file that should be there is not: every package has some. */
async function copyMatching(from: string, to: string, files: RegExp): Promise<void> {
  const matching = (await readdir(from, { recursive: true }))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => files.test(name));
  for (const name of matching) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await copyFile(join(from, name), join(to, name));
  }
}

/** A package that a bundle imports when it runs has to be in its VSIX. */
function refuseMissing(imports: readonly string[], carried: readonly CarriedPackage[]): void {
  const known = new Set([
    'vscode',
    ...builtinModules,
    ...optionalImports,
    ...carried.map(({ name }) => name),
  ]);
  const missing = imports.filter((name) => !name.startsWith('node:') && !known.has(name));
  if (missing.length > 0) {
    throw new Error(
      `The bundles import ${missing.join(', ')}, which no VSIX carries: bundle it, or add it to scripts/targets.ts.`,
    );
  }
}

/** The manifest as VS Code needs it; its dependencies are what vsce takes from node_modules. */
async function manifest(
  repository: string,
  unpacked: string,
  carried: readonly CarriedPackage[],
): Promise<string> {
  const own = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')));
  const dependencies = await Promise.all(
    carried.map(async ({ name }) => {
      const text = await readFile(join(unpacked, name, 'package.json'), 'utf8');
      return [name, z.object({ version: z.string() }).parse(JSON.parse(text)).version] as const;
    }),
  );
  const kept = Object.entries(own).filter(([key]) => !developerKeys.has(key));
  return `${JSON.stringify({ ...Object.fromEntries(kept), dependencies: Object.fromEntries(dependencies) }, null, 2)}\n`;
}
