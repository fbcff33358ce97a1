/** The notices that the licences of others ask for, gathered from the packages themselves. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export interface Notice {
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package states it. */
  readonly license: string;
  readonly text: string;
}

/**
 * What a package's own files say. The licences of its relatives are looked for in `nodeModules`.
 * Throws with the package's name when it brings no licence text.
 */
export async function packageNotice(folder: string, nodeModules: string): Promise<Notice> {
  const { name, version, license } = manifestSchema.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  );
  const relative = relatives.find(([pattern]) => pattern.test(name))?.[1];
  const texts = await licenceTexts(relative === undefined ? folder : join(nodeModules, relative));
  if (texts.length === 0) {
    throw new Error(
      `${name}@${version} (${license}) has no licence text: ask its authors for one, or name in scripts/notices.ts the package that has it.`,
    );
  }
  return { name, version, license, text: texts.join('\n\n') };
}

/** Of llama.cpp, which node-llama-cpp ships compiled and without its licence. */
export async function llamaCppNotice(repository: string): Promise<Notice> {
  const { tag } = releaseSchema.parse(
    JSON.parse(
      await readFile(join(repository, 'node_modules/node-llama-cpp/llama/llama.cpp.info.json'), 'utf8'),
    ),
  );
  const text = await readFile(join(repository, 'scripts/licences/llama.cpp.txt'), 'utf8');
  return { name: 'llama.cpp', version: tag, license: 'MIT', text: text.trim() };
}

/** The file that goes into the VSIX: the list, then each text. The same notices give the same bytes. */
export function noticesFile(notices: readonly Notice[]): string {
  const sorted = [...new Map(notices.map((notice) => [title(notice), notice])).values()].sort((a, b) =>
    title(a) < title(b) ? -1 : 1,
  );
  const list = sorted.map((notice) => `${title(notice)} (${notice.license})`);
  const sections = sorted.map((notice) => `${rule}\n${title(notice)}\n${rule}\n\n${notice.text}`);
  return `${introduction}\n\n${list.join('\n')}\n\n${sections.join('\n\n')}\n`;
}

/**
 * Throws when a grammar that is coloured with comes under terms that this extension's own licence cannot meet.
 * `inputs` are paths of bundled files.
 */
export function refuseCopyleftGrammars(inputs: Iterable<string>): void {
  for (const input of inputs) {
    const grammar = /@shikijs\/langs\/dist\/([^/]+)\.mjs$/.exec(input)?.[1];
    if (grammar !== undefined && copyleftGrammars.has(grammar)) {
      throw new Error(
        `The grammar ${grammar} of shiki is under the GPL: leave it and what embeds it out of the page.`,
      );
    }
  }
}

const introduction = [
  'Ask Codebase contains software of others. What it is, and under which terms:',
  'llama.cpp is in the libraries of node-llama-cpp; the syntax grammars are in @vscode/tree-sitter-wasm.',
].join('\n');
const rule = '-'.repeat(80);

/** Packages published without a licence text, and the package of the same authors and terms that has it. */
const relatives: readonly (readonly [name: RegExp, relative: string])[] = [
  [/^@koromix\/koffi-/, 'koffi'],
  [/^@vscode\/l10n$/, '@vscode/tree-sitter-wasm'],
  [/^@lit-labs\/ssr-dom-shim$/, 'lit'],
];

/** Of shiki's grammars, those that its source lists as GPL. */
const copyleftGrammars: ReadonlySet<string> = new Set(['ada', 'gnuplot', 'nginx', 'org', 'racket']);

const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string() });
const releaseSchema = z.object({ tag: z.string() });

function title({ name, version }: Notice): string {
  return `${name} ${version}`;
}

/** Of the package and of what it was compiled with. */
async function licenceTexts(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true }))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /^(vendor\/[^/]+\/)?(licen[cs]e|copying|notice)([-.][^/]*)?$/i.test(name))
    .sort();
  return Promise.all(
    names.map(async (name) => (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n').trim()),
  );
}
