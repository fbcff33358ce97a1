/**
 * `npm run bench -- heads`: chooses a model's evidence heads from code, without labels. The comment of a function is
 * the question, the function without it the passage to be found among the others; a head is as good as it ranks it.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { queriesOf } from '../../extension/engine/queries.ts';
import { attentionOfHeads } from '../../extension/engine/heads/attentionOfHeads.ts';
import {
  calibrationFunctions,
  functionsPerDocument,
} from '../../extension/engine/heads/calibrationFunctions.ts';
import { chooseHeads } from '../../extension/engine/heads/chooseHeads.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { prefill } from '../../extension/engine/prefill.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import { evidenceHeadsOf, type AttentionHead } from '../../extension/models/evidenceHeads.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocument } from '../../extension/workspace/readSourceDocument.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { describedFunctions, type DescribedFunction } from './describedFunctions.ts';
import { loadEngine, neverAborted } from './likelihood.ts';
import {
  bestHeads,
  chosenOnOtherHalf,
  meanReciprocalRank,
  scoresOf,
  sumScores,
} from '../../extension/engine/heads/headRanking.ts';

const defaultFunctions = 32;
const headsChosen = 8;
/** Of longer passages, the beginning. */
const maxPassageTokens = 320;
/** Asked of every passage; what a head pays to a passage for it has nothing to do with a question. */
const contentFreeQuestion = 'N/A';

export const usage = `npm run bench -- heads [options] [folders, default extension]
  --max-functions N   functions to tell from each other; default ${defaultFunctions}; the time grows with its square
  --model PATH        default: the default model
  --found             prints instead what the engine finds by itself for a model without an entry`;

/** Prints the best heads as they are kept in extension/models/evidenceHeads.ts, and how well they rank. */
export async function evidenceHeadsBench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'max-functions': { type: 'string', default: String(defaultFunctions) },
      model: { type: 'string' },
      found: { type: 'boolean', default: false },
    },
  });
  const path = values.model ?? (await smolLm2Path());
  if (values.found) {
    await reportFound(path);
    return;
  }
  const all = await functionsBelow(positionals.length === 0 ? ['extension'] : positionals);
  const count = Math.min(Number(values['max-functions']), all.length);
  if (!(count >= 4)) throw new Error(`${all.length} described functions were found; at least 4 are needed.`);
  const functions = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
  console.log(`${count} of ${all.length} described functions`);

  const engine = loadEngine(path, 'cpu');
  try {
    report(await attentionOf(engine, functions), count, path);
  } finally {
    engine.dispose();
  }
}

async function reportFound(path: string): Promise<void> {
  const engine = loadEngine(path, 'cpu');
  try {
    const begin = performance.now();
    const hooks = { pace: engine.pace, signal: neverAborted };
    const attention = await attentionOfHeads(
      engine.model,
      calibrationFunctions,
      functionsPerDocument,
      [],
      hooks,
    );
    const found = chooseHeads(attention);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(
      `${found.evidence?.length ?? 0} evidence heads, ${found.ranking?.length ?? 0} ranking heads, ${seconds} s`,
    );
    for (const [name, heads, rank] of [
      ['evidence', found.evidence, found.evidenceRank],
      ['ranking', found.ranking, found.rankingRank],
    ] as const) {
      const list = heads?.map(({ layer, head }) => `[${layer}, ${head}]`).join(', ') ?? 'none';
      console.log(`${name}: ${list}; MRR of functions they were not chosen by ${rank?.toFixed(2) ?? '-'}`);
    }
    console.log(`median focus ${found.focus?.toFixed(4) ?? '-'}`);
  } finally {
    engine.dispose();
  }
}

async function functionsBelow(folders: readonly string[]): Promise<DescribedFunction[]> {
  const grammars = createGrammars(readGrammarFile);
  const workspaces = folders.map((folder) => ({ name: basename(folder), rootPath: folder }));
  const { files } = await findFiles(workspaces, { signal: neverAborted });
  const result: DescribedFunction[] = [];
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const document = await readSourceDocument(file);
    if (!isSkipped(document)) result.push(...(await describedFunctions(document, grammars)));
  }
  return result;
}

/** By head, `layer * heads + head`: f32 (passages, questions + 1), passages fastest; the last row is content-free. */
type Attention = readonly { readonly head: AttentionHead; readonly logMass: Float32Array }[];

/** Each passage is read once on its own and every question decoded behind it. */
async function attentionOf(
  engine: LoadedEngine,
  functions: readonly DescribedFunction[],
): Promise<Attention> {
  const { model } = engine;
  const tokenize = (text: string): Token[] => model.tokenize(text, { special: false });
  const questions = [...functions.map(({ description }) => description), contentFreeQuestion].map(
    (question) => tokenize(`\nQuestion: ${question}\n`),
  );
  const passages = functions.map(({ path, text }) =>
    tokenize(`File ${path}:\n${text}`).slice(0, maxPassageTokens),
  );
  const prefix = model.beginToken === null ? [] : [model.beginToken];
  const longest = Math.max(...questions.map(({ length }) => length));
  const rows = prefix.length + maxPassageTokens;
  const { context, operations } = engine.open(rows + longest, rows);
  const layers = new Set(operations.layouts.map(({ layer }) => layer));
  const result = operations.layouts.flatMap(({ layer, heads }) =>
    Array.from({ length: heads }, (_, head) => ({
      head: [layer, head] as const,
      logMass: new Float32Array(passages.length * questions.length),
    })),
  );
  const hooks = { pace: engine.pace, signal: neverAborted };
  for (const [p, passage] of passages.entries()) {
    context.clear();
    await prefill(context, [...prefix, ...passage], engine.pace, neverAborted);
    const cells = context.length;
    for (const [q, question] of questions.entries()) {
      const queries = await queriesOf(context, question, layers, hooks);
      const weights = new Float32Array(question.length).fill(1 / question.length);
      const scores = operations.attentionScores(queries, cells, weights);
      for (const { head, logMass } of result) {
        const from = head[1] * cells;
        const paid = scores.get(head[0])!.subarray(from + prefix.length, from + cells);
        logMass[q * passages.length + p] = Math.log(paid.reduce((sum, value) => sum + value, 1e-9));
      }
    }
    process.stderr.write(`\rpassage ${p + 1} of ${passages.length}`);
  }
  process.stderr.write('\n');
  return result;
}

function report(attention: Attention, functions: number, modelPath: string): void {
  const heads = attention.map(({ head, logMass }) => ({ head, scores: scoresOf(logMass, functions) }));
  const { metadata } = readGgufHeader(modelPath);
  const [basename, sizeLabel] = ['general.basename', 'general.size_label'].map((key) => {
    const value = metadata.get(key);
    return typeof value === 'string' ? value : null;
  }) as [string | null, string | null];
  const kept = evidenceHeadsOf(basename, sizeLabel) ?? [];
  const best = bestHeads(heads, headsChosen);
  console.log(
    `model ${basename ?? '?'} ${sizeLabel ?? '?'}, best ${headsChosen} heads (layer, head; MRR of each):`,
  );
  for (const { head, scores } of best) {
    const known = kept.some(([layer, index]) => layer === head[0] && index === head[1]);
    console.log(
      `  [${head.join(', ')}],  ${meanReciprocalRank(scores).toFixed(2)}${known ? '  kept already' : ''}`,
    );
  }
  const ofKept = heads.filter(({ head }) => kept.some(([l, h]) => l === head[0] && h === head[1]));
  const rows: [string, number][] = [
    ['all heads together', meanReciprocalRank(sumScores(heads.map(({ scores }) => scores)))],
    ['the best, chosen on the other half of the functions', chosenOnOtherHalf(heads, headsChosen)],
  ];
  if (ofKept.length > 0) {
    rows.push(['those that are kept', meanReciprocalRank(sumScores(ofKept.map(({ scores }) => scores)))]);
  }
  for (const [name, value] of rows) console.log(`MRR ${value.toFixed(2)}  ${name}`);
  const byHead = heads.map(({ scores }) => meanReciprocalRank(scores)).sort((a, b) => a - b);
  const better = ofKept.map(
    ({ scores }) => byHead.filter((value) => value < meanReciprocalRank(scores)).length,
  );
  if (better.length > 0) {
    const shares = better.map((count) => `${((100 * count) / byHead.length).toFixed(0)} %`);
    console.log(`each of those that are kept is better than ${shares.join(', ')} of all heads`);
  }
}
