/**
 * Facts planted in real source text: lines that look as if they belonged there, questions that ask for them in other
 * words, and answers of a few tokens. The texts are packages that the lock file pins, so they are the same everywhere.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';

export interface Fact {
  readonly name: string;
  /** What is planted, one or two lines. */
  readonly lines: readonly string[];
  readonly question: string;
  /** How the answer begins, in the question's words: it is given to the model and not counted. */
  readonly lead: string;
  /** What is counted. */
  readonly answer: string;
}

export type Place = 'early' | 'middle' | 'late';

export interface PlantedFact {
  readonly fact: Fact;
  readonly place: Place;
}

export interface PlantedDocument {
  readonly index: number;
  readonly passages: readonly Passage[];
  readonly planted: readonly PlantedFact[];
  /** Facts that are not in it, to ask for what is absent. */
  readonly absent: readonly Fact[];
}

const places: readonly Place[] = ['early', 'middle', 'late'];

/** Tokens of source text in each document, before the facts are planted; together they hold each fact at each place. */
export const documentSizes = [2048, 2048, 2048, 2048, 2048, 2048, 2048, 3072, 4096, 5632] as const;

/** Source files that a document is put together from. */
const filesPerDocument = 3;

/**
 * A document of `size` tokens of source text with six facts, two for each place.
 * @param countTokens tokens of a text under the model's tokenizer, which decides where the text is cut.
 */
export function plantDocument(
  index: number,
  size: number,
  countTokens: (text: string) => number,
): PlantedDocument {
  const files = Array.from(
    { length: filesPerDocument },
    (_, part) => sources[(2 * index + 7 * part) % sources.length]!,
  );
  const lines = files.map((file) => excerpt(file, size / filesPerDocument, countTokens));
  const planted = places.flatMap((place, p) => {
    const first = (index + documentSizes.length - 3 * p) % documentSizes.length;
    return [first, first + documentSizes.length].map((f) => ({ fact: facts[f]!, place }));
  });
  const inserted = lines.map((text, part) => plantLines(text, planted.slice(2 * part, 2 * part + 2)));
  const names = new Set(planted.map(({ fact }) => fact.name));
  return {
    index,
    passages: inserted.map((text, part) => ({
      workspace: 'sources',
      path: files[part]!,
      startLine: 1,
      endLine: text.length,
      text: `${text.join('\n')}\n`,
    })),
    planted,
    absent: facts.filter(({ name }) => !names.has(name)),
  };
}

/** Documents of a large repository without the facts: each source, cut to `tokens` in all. */
export function largeSources(tokens: number, countTokens: (text: string) => number): Passage[] {
  return sources.map((path) => {
    const lines = excerpt(path, tokens / sources.length, countTokens);
    return { workspace: 'sources', path, startLine: 1, endLine: lines.length, text: `${lines.join('\n')}\n` };
  });
}

/** The passages with one fact planted in the middle of the passage with this index. */
export function plantInPassage(passages: readonly Passage[], index: number, fact: Fact): Passage[] {
  return passages.map((passage, i) => {
    if (i !== index) return passage;
    const lines = plantLines(passage.text.trimEnd().split('\n'), [{ fact, place: 'middle' }]);
    return { ...passage, endLine: lines.length, text: `${lines.join('\n')}\n` };
  });
}

/** The text of a document as it is read. */
export function textOf(passages: readonly Passage[]): string {
  return passages.map((passage) => passageText(passage)).join('');
}

/** Consecutive lines of a package's file, about `tokens` long, from a quarter of the file on, behind its imports. */
function excerpt(file: string, tokens: number, countTokens: (text: string) => number): string[] {
  const lines = readFileSync(join('node_modules', file), 'utf8').replaceAll('\r', '').split('\n');
  const result: string[] = [];
  let room = tokens;
  for (let line = Math.floor(lines.length / 4); line < lines.length && room > 0; line++) {
    room -= countTokens(`${lines[line]!}\n`);
    result.push(lines[line]!);
  }
  return result;
}

/** Inserts facts at even distances, each before the nearest line that is not blank and with its indent. */
function plantLines(lines: readonly string[], planted: readonly PlantedFact[]): string[] {
  const result = [...lines];
  for (let i = planted.length - 1; i >= 0; i--) {
    let at = Math.floor((lines.length * (i + 1)) / (planted.length + 1));
    while (at < lines.length - 1 && lines[at]!.trim() === '') at++;
    const indent = /^\s*/.exec(lines[at]!)![0].replace(/ $/, '');
    result.splice(at, 0, ...planted[i]!.fact.lines.map((line) => indent + line));
  }
  return result;
}

const sources: readonly string[] = [
  'ignore/index.js',
  'vscode-jsonrpc/lib/common/connection.js',
  'eslint/lib/rules/no-unused-vars.js',
  '@types/node/dns.d.ts',
  'argparse/argparse.js',
  'node-llama-cpp/dist/utils/LlamaText.js',
  'typescript/lib/lib.es5.d.ts',
  'eslint/lib/linter/linter.js',
  'web-tree-sitter/web-tree-sitter.d.ts',
  'esbuild/lib/main.js',
  'chai/index.js',
  'eslint/lib/eslint/eslint-helpers.js',
  '@types/node/zlib.d.ts',
  'node-llama-cpp/dist/utils/OpenAIFormat.js',
  'acorn/dist/acorn.js',
  'eslint/lib/linter/apply-disable-directives.js',
  'isbinaryfile/lib/index.js',
  'node-llama-cpp/dist/utils/createModelDownloader.js',
  '@types/node/dgram.d.ts',
  'eslint/lib/rule-tester/rule-tester.js',
];

/** The first ten are planted first in their place, the second ten second. */
export const facts: readonly Fact[] = [
  {
    name: 'port',
    lines: ['const METRICS_LISTENER_PORT = 48213;'],
    question: 'On which port are the metrics served?',
    lead: 'The metrics are served on port',
    answer: ' 48213',
  },
  {
    name: 'backoff',
    lines: ['// A failed upload waits 937 milliseconds before it is tried again.'],
    question: 'How long is the pause until an upload is retried?',
    lead: 'The pause until an upload is retried is',
    answer: ' 937 milliseconds',
  },
  {
    name: 'codec',
    lines: ["const snapshotCodec = 'zstandard';"],
    question: 'Which algorithm compresses the snapshots?',
    lead: 'The snapshots are compressed with',
    answer: ' zstandard',
  },
  {
    name: 'owner',
    lines: ['// The billing module is maintained by Ingrid Solheim.'],
    question: 'Who looks after the billing code?',
    lead: 'The billing code is looked after by',
    answer: ' Ingrid Solheim',
  },
  {
    name: 'quota',
    lines: ['if (attachments.length > 23) throw new QuotaError();'],
    question: 'What is the largest number of attachments that is allowed?',
    lead: 'The largest number of attachments that is allowed is',
    answer: ' 23',
  },
  {
    name: 'message',
    lines: ["throw new Error('the tunnel collapsed');"],
    question: 'What does the exception say when the tunnel fails?',
    lead: 'The exception says:',
    answer: ' the tunnel collapsed',
  },
  {
    name: 'table',
    lines: ["const AUDIT_TABLE = 'ledger_trail';"],
    question: 'In which database table are audit records stored?',
    lead: 'The audit records are stored in the table',
    answer: ' ledger_trail',
  },
  {
    name: 'hash',
    lines: ['// Passwords are hashed with argon2id, never with anything older.'],
    question: 'How are passwords protected?',
    lead: 'The passwords are protected by',
    answer: ' argon2id',
  },
  {
    name: 'header',
    lines: ["response.setHeader('X-Harbor-Trace', traceId);"],
    question: 'Which HTTP header carries the trace identifier?',
    lead: 'The trace identifier is carried by the header',
    answer: ' X-Harbor-Trace',
  },
  {
    name: 'city',
    lines: ["const FALLBACK_REGION = 'Reykjavik';"],
    question: 'Which region is used when no other is available?',
    lead: 'When no other is available, the region is',
    answer: ' Reykjavik',
  },
  {
    name: 'workers',
    lines: ['export const renderWorkers = 11;'],
    question: 'How many workers does rendering use?',
    lead: 'The number of workers that rendering uses is',
    answer: ' 11',
  },
  {
    name: 'expiry',
    lines: ['// Invitation links expire after 19 days.'],
    question: 'For how long can somebody accept an invitation?',
    lead: 'An invitation can be accepted for',
    answer: ' 19 days',
  },
  {
    name: 'queue',
    lines: ["const thumbnailQueue = 'crimson-otter';"],
    question: 'What is the name of the queue for thumbnails?',
    lead: 'The queue for thumbnails is named',
    answer: ' crimson-otter',
  },
  {
    name: 'variable',
    lines: ["const licenseKey = process.env['MAPLE_LICENSE_KEY'];"],
    question: 'Which environment variable holds the license?',
    lead: 'The license is held by the environment variable',
    answer: ' MAPLE_LICENSE_KEY',
  },
  {
    name: 'flag',
    lines: ["if (argv.includes('--dry-harvest')) return simulate();"],
    question: 'With which command line flag is everything only simulated?',
    lead: 'Everything is only simulated with the flag',
    answer: ' --dry-harvest',
  },
  {
    name: 'exit',
    lines: ['// The process exits with status 74 when the disk is full.'],
    question: 'Which exit code means that there is no space left on the disk?',
    lead: 'The exit code for a full disk is',
    answer: ' 74',
  },
  {
    name: 'seed',
    lines: ['const shuffleSeed = 60317;'],
    question: 'Which seed makes the shuffling repeatable?',
    lead: 'The shuffling is repeatable with the seed',
    answer: ' 60317',
  },
  {
    name: 'font',
    lines: ["theme.headingFont = 'Garamond';"],
    question: 'What typeface do headings have?',
    lead: 'The typeface of headings is',
    answer: ' Garamond',
  },
  {
    name: 'file',
    lines: ["const bookmarksFile = 'config/anchors.toml';"],
    question: 'Where are the bookmarks saved?',
    lead: 'The bookmarks are saved in',
    answer: ' config/anchors.toml',
  },
  {
    name: 'reason',
    lines: ['// Threads are pinned because migration between cores doubled the latency.'],
    question: 'What happened when threads moved from one core to another?',
    lead: 'When threads moved from one core to another,',
    answer: ' the latency doubled',
  },
];
