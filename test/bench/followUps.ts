/**
 * `npm run bench -- followups`: what a cache that was compressed under one question holds for another, and whether its
 * own attention shows that. The rule by which a follow-up is read again comes from these rows.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import type { CellList } from '../../extension/engine/compression/compress.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import { notHeldFocus } from '../../extension/engine/focusLimits.ts';
import type { DocumentTokens } from '../../extension/engine/documentTokens.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { documentSizes, plantDocument, type Fact } from './facts.ts';
import { likelihoodOf, loadEngine, read } from './likelihood.ts';
import { tokenBudget } from './measureFacts.ts';

interface FollowUpRow {
  readonly document: number;
  readonly documentTokens: number;
  /** The fact whose question the document was read under, and the one that was asked then. */
  readonly under: string;
  readonly asked: string;
  /** The share of the asked fact's own tokens that the cache holds, 0 to 1. */
  readonly held: number;
  /** See `FinalAttention`. */
  readonly focus: number;
  readonly nll: number;
}

const resultsPath = 'test/bench/results/follow-ups.json';
/** Questions that each document is read under. */
const questionsPerDocument = 2;
/** At least so much of a fact must be kept for it to count as held. */
const heldShare = 0.99;

export const usage = `npm run bench -- followups [options]
  --documents N,N   of 0 to ${documentSizes.length - 1}; default: all
  --fresh           measure again what was measured`;

export async function followUpsBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { documents: { type: 'string' }, fresh: { type: 'boolean', default: false } },
  });
  const documents = values.documents?.split(',').map(Number) ?? [...documentSizes.keys()];
  const rows = values.fresh ? [] : readRows().filter(({ document }) => !documents.includes(document));
  const engine = loadEngine(await smolLm2Path(), 'cpu');
  const countTokens = (text: string): number => engine.model.tokenize(text, { special: false }).length;
  try {
    for (const index of documents) {
      const { planted, passages } = plantDocument(index, documentSizes[index]!, countTokens);
      const step = Math.floor(planted.length / questionsPerDocument);
      for (let first = 0; first < questionsPerDocument; first++) {
        const under = planted[first * step]!.fact;
        const options = presetOptions('default', tokenBudget, engine.evidenceHeads);
        const reading = await read(engine, passages, under.question, options);
        for (const { fact } of planted) {
          const { nll, focus } = await likelihoodOf(engine, reading, fact);
          const held = heldShareOf(
            { lists: reading.cache.lists, document: reading.document },
            fact,
            passages,
          );
          const documentTokens = reading.document.tokens.length;
          const row = { document: index, documentTokens, under: under.name, asked: fact.name, held };
          rows.push({ ...row, focus: focus ?? 0, nll });
          console.log(JSON.stringify(rows.at(-1)));
        }
        write(rows);
      }
    }
  } finally {
    engine.dispose();
  }
  console.log(summary(rows));
}

/** The share of a fact's own tokens that the one list of the default keeps, 0 to 1. */
export function heldShareOf(
  { lists, document }: { readonly lists: readonly CellList[]; readonly document: DocumentTokens },
  fact: Fact,
  passages: readonly Passage[],
): number {
  const kept = new Set(lists[0]!.entries);
  let tokens = 0;
  let held = 0;
  document.lineOf.forEach((lineIndex, token) => {
    const line = document.lines[lineIndex]!;
    if (line.sourceLine === null) return;
    const passage = passages[line.passage]!;
    const text = passage.text.split('\n')[line.sourceLine - passage.startLine];
    if (text === undefined || !fact.lines.some((one) => text.includes(one))) return;
    tokens++;
    if (kept.has(token)) held++;
  });
  if (tokens === 0) throw new Error(`The fact ${fact.name} is not in its document.`);
  return held / tokens;
}

/** Area under the curve, and both kinds of mistake at the threshold in use. */
function summary(rows: readonly FollowUpRow[]): string {
  const held = rows.filter((row) => row.held >= heldShare);
  const gone = rows.filter((row) => row.held < heldShare);
  const wins = held.flatMap(({ focus }) => gone.map((other) => (focus > other.focus ? 1 : 0)));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const below = (some: readonly FollowUpRow[]): number =>
    some.filter(({ focus }) => focus < notHeldFocus(tokenBudget)).length;
  return [
    `held: ${held.length} follow-ups, mean NLL ${mean(held.map(({ nll }) => nll)).toFixed(2)}, read again ${below(held)}`,
    `not held: ${gone.length}, mean NLL ${mean(gone.map(({ nll }) => nll)).toFixed(2)}, read again ${below(gone)}`,
    `area under the curve of the focus ${mean(wins).toFixed(3)}, threshold ${notHeldFocus(tokenBudget)}`,
  ].join('\n');
}

function readRows(): FollowUpRow[] {
  try {
    return JSON.parse(readFileSync(resultsPath, 'utf8')) as FollowUpRow[];
  } catch {
    return [];
  }
}

function write(rows: readonly FollowUpRow[]): void {
  mkdirSync(dirname(resultsPath), { recursive: true });
  writeFileSync(resultsPath, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}
