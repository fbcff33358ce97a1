/**
 * What is read for a few questions of one package: parts of its files around the lines that answer them, filled up
 * with parts of other places to the length wanted. Everything is read of it uncompressed once for all of them.
 */
import type { SourceDocument } from '../../../extension/protocol/nouns.ts';
import { uniforms } from '../../reference/random.ts';
import type { Question, QuestionedPackage } from './questions.ts';
import type { Site } from './relations.ts';

export interface Group {
  readonly package: string;
  readonly round: number;
  readonly documents: readonly SourceDocument[];
  /** Where what is asked for stands, 0 to 1, where that is what is measured. */
  readonly place?: number;
  /** Their evidence is in lines of the documents as they are here. */
  readonly questions: readonly Question[];
}

/** Of the golden section: multiples of it lie far from each other, whatever they are counted in. */
const stride = 0.618;
/** Windows that a reading is put together from. */
const windows = 12;
/** Lines of one window at most. */
const longestWindow = 400;
/** Tries to find places that are not there yet. */
const tries = 200;

/**
 * One question of each kind that the package has.
 * @param absent what is asked besides, whose answer is not there
 * @param round which questions of the package; the same for the same round
 * @param tokens of the reading, headers not counted
 */
export function groupOf(
  { name, documents, questions }: QuestionedPackage,
  absent: Question,
  round: number,
  tokens: number,
  countTokens: (text: string) => number,
): Group {
  const next = uniforms(seedOf(`${name} ${round}`));
  const asked = [questions.fact, questions.relation, questions.description].flatMap((all) =>
    all.length === 0 ? [] : [all[Math.floor(all.length * ((round * stride) % 1))]!],
  );
  const texts = new Map(documents.map(({ path, text }) => [path, text.split('\n')]));
  const kept = new Map<string, Set<number>>();
  let room = tokens;
  const keep = (path: string, first: number, last: number, size: number): void => {
    const lines = texts.get(path)!;
    const rows = kept.get(path) ?? new Set<number>();
    kept.set(path, rows);
    let left = size;
    const take = (row: number): void => {
      if (row < 0 || row >= lines.length || rows.has(row)) return;
      const cost = countTokens(`${lines[row]!}\n`);
      rows.add(row);
      left -= cost;
      room -= cost;
    };
    for (let row = first; row <= last; row++) take(row);
    const share = next();
    let [above, below] = [first, last];
    for (let step = 0; step < longestWindow && left > 0; step++) {
      if (next() < share) take(--above);
      else take(++below);
    }
  };
  const size = tokens / windows;
  for (const { path, lines } of asked.flatMap(({ evidence }) => evidence)) {
    keep(path, Math.min(...lines) - 1, Math.max(...lines) - 1, size);
  }
  for (let i = 0; i < tries && room > size / 4; i++) {
    const document = documents[Math.floor(next() * documents.length)]!;
    const row = Math.floor(next() * texts.get(document.path)!.length);
    keep(document.path, row, row, Math.min(size, room));
  }
  const parts = documents.flatMap((document) => {
    const rows = kept.get(document.path);
    return rows === undefined ? [] : [partOf(document, rows)];
  });
  const moved = (site: Site): Site => {
    const lineOf = parts.find(({ document }) => document.path === site.path)!.lineOf;
    return { path: site.path, lines: site.lines.map((line) => lineOf.get(line)!) };
  };
  return {
    package: name,
    round,
    documents: parts.map(({ document }) => document),
    questions: [
      ...asked.map((question) => ({ ...question, evidence: question.evidence.map(moved) })),
      absent,
    ],
  };
}

function partOf(document: SourceDocument, rows: ReadonlySet<number>) {
  const lines = document.text.split('\n');
  const sorted = [...rows].sort((a, b) => a - b);
  return {
    document: { ...document, text: `${sorted.map((row) => lines[row]!).join('\n')}\n` },
    /** Its lines by those of the whole file. */
    lineOf: new Map(sorted.map((row, index) => [row + 1, index + 1])),
  };
}

function seedOf(text: string): number {
  let bits = 17;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits, 31) + text.charCodeAt(i);
  return bits;
}
