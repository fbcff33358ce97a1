/**
 * Ignore files with git's meaning. The package `ignore` matches paths against one file's patterns; this module adds
 * what git does with several: deeper files win, and an ignored folder hides what is below it.
 *
 * All paths have forward slashes and share one origin; the path of a folder ends in a slash, the origin itself is ''.
 */
import ignore from 'ignore';

/** The rules of one ignore file. */
export interface RuleSet {
  /** Folder that the patterns are anchored at. */
  readonly base: string;
  readonly ignoreCase: boolean;
  readonly matcher: ignore.Ignore;
  readonly negations: readonly Negation[];
}

/** One pattern that begins with "!", segment by segment. */
interface Negation {
  readonly segments: readonly Segment[];
}

interface Segment {
  readonly text: string;
  readonly matches: (name: string) => boolean;
}

export type Verdict = 'ignored' | 'included' | 'undecided';

export function ruleSet(base: string, text: string, ignoreCase: boolean): RuleSet {
  const lines = text.replace(/\r$/, '').split(/\r?\n/).flatMap(spellOutDoubleStar);
  return {
    base,
    ignoreCase,
    matcher: ignore({ ignoreCase }).add(lines.join('\n')),
    negations: lines
      .filter((line) => line.startsWith('!'))
      .map((line) => negation(line.slice(1), ignoreCase)),
  };
}

/**
 * What the rules say of one path: the last match in the deepest file that has one. The folders above the path must
 * have been entered with `enterFolder`, so none of them is ignored.
 */
export function verdictOf(ruleSets: readonly RuleSet[], path: string): Verdict {
  for (let index = ruleSets.length - 1; index >= 0; index--) {
    const { base, matcher } = ruleSets[index]!;
    const result = matcher.test(path.slice(base.length));
    if (result.ignored) return 'ignored';
    if (result.unignored) return 'included';
  }
  return 'undecided';
}

/**
 * The rules as they hold below a folder that is walked. A set that ignores the folder was overruled, and must judge
 * what is below on its own: git asks each file only about a path, never about the folders above it again.
 *
 * Each set gets a new matcher, since a matcher remembers every path it was asked about.
 */
export function enterFolder(ruleSets: readonly RuleSet[], folder: string): RuleSet[] {
  return ruleSets.map((set) => {
    const path = folder.slice(set.base.length);
    const matcher = ignore({ ignoreCase: set.ignoreCase }).add(set.matcher);
    if (path !== '' && set.matcher.test(path).ignored) matcher.add({ pattern: `!/${escapePattern(path)}` });
    return { ...set, matcher };
  });
}

/**
 * Whether a negation could match something below an ignored folder, so that it has to be walked.
 *
 * @param mustName only negations with this name as one of their segments count
 */
export function mayIncludeBelow(
  ruleSets: readonly RuleSet[],
  folder: string,
  mustName: string | undefined,
): boolean {
  return ruleSets.some((set) => {
    const names = folder.slice(set.base.length, -1).split('/');
    return set.negations.some(
      ({ segments }) =>
        (mustName === undefined || segments.some(({ text }) => text === mustName)) &&
        reachesBelow(segments, names),
    );
  });
}

/**
 * git compares the letters before the first wildcard on their own, so that in `ab**` before a slash the stars stand at a
 * beginning and cross slashes. The library takes them for one star; this writes the pattern as those that mean the same to it.
 */
function spellOutDoubleStar(line: string): string[] {
  const match = /^(!?)(\/?[^*?[\\!#][^*?[\\]*)(?<![\/])\*{2,}(\/.*)?$/.exec(line);
  if (match === null) return [line];
  const [, sign = '', start = '', rest = ''] = match;
  const anchored = start.startsWith('/') ? start : `/${start}`;
  if (rest.length > 1)
    return [`${sign}${anchored}*/**${rest}`, ...spellOutDoubleStar(`${sign}${anchored}${rest.slice(1)}`)];
  if (start.includes('/')) return [`${sign}${anchored}*${rest}`, `${sign}${anchored}*/**${rest}`];
  return [line];
}

function reachesBelow(segments: readonly Segment[], names: readonly string[]): boolean {
  for (const [index, name] of names.entries()) {
    const segment = segments[index];
    if (segment === undefined) return false;
    if (segment.text === '**') return true;
    if (!segment.matches(name)) return false;
  }
  return segments.length > names.length;
}

function negation(pattern: string, ignoreCase: boolean): Negation {
  const body = pattern.replace(/(?<!\\) +$/, '').replace(/\/$/, '');
  const anchored = body.includes('/');
  const texts = body.replace(/^\//, '').split('/');
  return {
    segments: (anchored ? texts : ['**', ...texts]).map((text) => {
      const matcher = ignore({ ignoreCase }).add({ pattern: `/${text}` });
      return { text, matches: (name) => matcher.ignores(name) };
    }),
  };
}

function escapePattern(path: string): string {
  return path.replace(/[\\*?[\] !#]/g, '\\$&');
}
