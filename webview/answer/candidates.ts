/** Finding what may be the place of a file in the text of an answer. Whether there is such a file the host knows. */

import { cutAtHiddenCharacters } from '../../extension/protocol/hiddenCharacters.ts';

/** Part of a text that looks like a file's path, with or without lines: [start, end) in it. */
export interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Candidates in the order of the text: `src/a.ts`, `src/a.ts:12`, `src/a.ts:12-20`, `src/a.ts#L12-L20`,
 * `src/a.ts, lines 12-20`, `README.md`, `Makefile`. In code, a path may have spaces and brackets when it is all there is.
 */
export function findCandidates(text: string, where: 'code' | 'prose'): Candidate[] {
  if (where === 'code') {
    const whole = wholePattern.exec(text)?.groups;
    if (whole !== undefined && isPath(whole['path']!)) return [{ start: 0, end: text.length, text }];
  }
  const found: Candidate[] = [];
  for (const { index: start, groups } of text.matchAll(placePattern)) {
    const run = groups!['path']!;
    const lines = groups!['lines'];
    // What ends a sentence does not belong to the path, unless lines come after it.
    const path = lines === undefined ? run.replace(/[.,+\\-]{1,8}$/, '') : run;
    if (!isPath(path)) continue;
    const end = start + path.length + (lines?.length ?? 0);
    found.push({ start, end, text: text.slice(start, end) });
  }
  return found;
}

const linesPattern = String.raw`(?::|#L|,? lines? )\d{1,7}(?:(?:\s?[-–]\s?L?|:)\d{1,7})?(?![\p{L}\p{N}])`;
const placePattern = new RegExp(
  String.raw`(?<![\p{L}\p{N}_@$+./\\-])(?<path>[\p{L}\p{N}_@$+./\\-]+)(?<lines>${linesPattern})?`,
  'gu',
);
const wholePattern = new RegExp(
  String.raw`^(?<path>[\p{L}\p{N}_@$+./\\()[\]{}'~&=!%# -]{1,300}?)(?<lines>${linesPattern})?$`,
  'u',
);

const longestPath = 260;
/** Names that files have without an extension. */
const plainName =
  /^(?:Makefile|Dockerfile|Containerfile|Jenkinsfile|Procfile|Gemfile|Rakefile|Vagrantfile|Justfile|LICENSE|LICENCE|COPYING|README|CHANGELOG|NOTICE|AUTHORS|CODEOWNERS|BUILD|WORKSPACE)$/;
const nameWithExtension =
  /^\.?[\p{L}\p{N}_@$+()[\]{}'~&=!%#-][^/\\]*\.(?=\d{0,4}\p{L})[\p{L}\p{N}_+-]{1,12}$/u;
const dotFile = /^\.[\p{L}][\p{L}\p{N}._-]+$/u;

function isPath(path: string): boolean {
  if (path.length > longestPath || path.trim() !== path) return false;
  if (cutAtHiddenCharacters(path, 'code').some((piece) => 'hidden' in piece)) return false;
  const parts = path
    .replaceAll('\\', '/')
    .replace(/^\.?\//, '')
    .split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return false;
  const name = parts.at(-1)!;
  if (plainName.test(name)) return parts.length > 1 || name !== 'BUILD';
  return nameWithExtension.test(name) || dotFile.test(name);
}
