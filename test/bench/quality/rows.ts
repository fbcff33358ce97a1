/** The measurements as they are kept: one a line, so that a new one is a new line. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { kindNames } from './questions.ts';
import { wayNames } from './ways.ts';

const share = z.number().min(0).max(1).nullable();

export const qualityRow = z.strictObject({
  date: z.iso.date(),
  /** The model's own file. */
  model: z.string(),
  /** Of the copy that a processor reads quicker; absent: the file itself was read. */
  weights: z.literal('q8_0').optional(),
  device: z.string(),
  package: z.string(),
  kind: z.enum(kindNames),
  question: z.string(),
  round: z.int().min(0),
  way: z.enum(wayNames),
  budget: z.int().min(0),
  readingTokens: z.int().min(0),
  documentTokens: z.int().min(0),
  seenTokens: z.int().min(0),
  nll: z.number().min(0),
  exact: z.boolean(),
  chosen: z.boolean().nullable(),
  lineRecall: share,
  fileRecall: share,
  focus: share,
  place: share,
  /** Only of a machine that did nothing else. */
  seconds: z.number().min(0).optional(),
});

export type QualityRow = z.infer<typeof qualityRow>;

/** What names a measurement of a model. */
export function keyOf(
  row: Pick<QualityRow, 'package' | 'kind' | 'question' | 'way' | 'budget' | 'readingTokens' | 'place'>,
): string {
  const { package: name, kind, question, way, budget, readingTokens, place } = row;
  return [name, kind, question, way, budget, readingTokens, place].join('\n');
}

export function readRows(path: string): QualityRow[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return z.array(qualityRow).parse(JSON.parse(text));
}

export function writeRows(path: string, rows: readonly QualityRow[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}
