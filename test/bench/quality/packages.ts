/** The repositories that are asked: pinned releases as the registries carry them, in five languages. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SourceDocument } from '../../../extension/protocol/nouns.ts';
import { findFiles } from '../../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocument } from '../../../extension/workspace/readSourceDocument.ts';
import { neverAborted } from '../likelihood.ts';
import { npmPackage } from '../npmPackage.ts';
import { pythonPackage } from '../pythonPackage.ts';

export interface BenchPackage {
  /** Name and version, as the folder is called in which it is kept. */
  readonly name: string;
  /** As npm (`name@1.2.3`) or pip (`name==1.2.3`) takes it. */
  readonly requirement: string;
  readonly from: 'npm' | 'wheel' | 'sdist';
  /** What is read of it: its own sources, not what was built from them. */
  readonly folders: readonly string[];
}

export const packages: readonly BenchPackage[] = [
  onPypi('httpx==0.27.2', 'wheel', ['httpx']),
  onNpm('commander@12.1.0', ['lib']),
  onPypi('hiredis==3.1.0', 'sdist', ['vendor/hiredis', 'src', 'hiredis']),
  onNpm('immer@10.1.1', ['src']),
  onPypi('tiktoken==0.8.0', 'sdist', ['src', 'tiktoken']),
  onNpm('cordova-plugin-file@8.1.3', ['src/android', 'www']),
  onPypi('arrow==1.3.0', 'wheel', ['arrow']),
  onNpm('semver@7.6.3', ['bin', 'classes', 'functions', 'internal', 'ranges']),
  onPypi('tenacity==9.0.0', 'wheel', ['tenacity']),
  onNpm('rxjs@7.8.1', ['src/internal']),
  onPypi('tomlkit==0.13.2', 'wheel', ['tomlkit']),
  onNpm('express@4.21.2', ['lib']),
];

/** The source files of a package, got once and kept in the user's cache folder, by path. */
export async function sourcesOf(one: BenchPackage): Promise<SourceDocument[]> {
  const below = join(homedir(), '.cache/ask-codebase/bench');
  const { requirement, from, name } = one;
  const folder =
    from === 'npm' ? await npmPackage(requirement, below) : await pythonPackage(requirement, below, from);
  const documents: SourceDocument[] = [];
  for (const part of one.folders) {
    const { files } = await findFiles([{ name, rootPath: join(folder, part) }], { signal: neverAborted });
    for (const file of files) {
      const document = await readSourceDocument(file);
      if (!isSkipped(document)) documents.push({ ...document, path: `${part}/${document.path}` });
    }
  }
  return documents.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function onNpm(requirement: string, folders: readonly string[]): BenchPackage {
  return { name: requirement.replace('@', '-'), requirement, from: 'npm', folders };
}

function onPypi(requirement: string, from: 'wheel' | 'sdist', folders: readonly string[]): BenchPackage {
  return { name: requirement.replace('==', '-'), requirement, from, folders };
}
