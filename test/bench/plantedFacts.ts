/**
 * `npm run bench -- facts`: how likely the right answer to a planted fact is after reading nothing, everything, and
 * under each way of compression. Rows are written as they are measured, and those that are there are not measured again.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { smolLm2Path } from '../modelFiles.ts';
import { documentSizes } from './facts.ts';
import { loadEngine } from './likelihood.ts';
import { measureLong } from './longReadings.ts';
import { measure, variantNames, type Measured } from './measureFacts.ts';
import { summarize } from './summary.ts';

export interface FactRow extends Measured {
  readonly date: string;
  readonly model: string;
  readonly device: string;
}

const resultsPath = 'test/bench/results/planted-facts.json';

export const usage = `npm run bench -- facts [--caches NAMES] [--model PATH] [--device cpu|vulkan|cuda|metal] [--seconds N] [--fresh]
  --caches   of nothing, everything, default, paper, perHead, absent, long (32k tokens), ${variantNames.join(', ')}
  --seconds  stop after this time; the next run goes on where this one stopped
  --fresh    measure again what was measured`;

/** Measures what is missing among the results and prints their summary. */
export async function plantedFactsBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      caches: { type: 'string', default: 'nothing,everything,default,absent,paper,perHead,long' },
      model: { type: 'string' },
      device: { type: 'string', default: 'cpu' },
      seconds: { type: 'string', default: 'Infinity' },
      fresh: { type: 'boolean', default: false },
    },
  });
  const path = values.model ?? (await smolLm2Path());
  const model = basename(path);
  const rows = values.fresh ? [] : readRows();
  const have = new Set(rows.filter((row) => row.model === model).map((row) => keyOf(row)));
  const deadline = performance.now() + 1000 * Number(values.seconds);
  const engine = loadEngine(path, deviceOf(values.device));
  try {
    const missing = (row: Pick<Measured, 'document' | 'fact' | 'cache'>): boolean => !have.has(keyOf(row));
    for (const cache of values.caches.split(',')) {
      const measured =
        cache === 'long'
          ? measureLong(engine, missing)
          : measure(engine, cache, missing, [...documentSizes.keys()]);
      for await (const row of measured) {
        rows.push({ date: new Date().toISOString().slice(0, 10), model, device: engine.deviceName, ...row });
        writeRows(rows);
        console.log(`${row.cache} ${row.document} ${row.fact} (${row.place}) ${row.nll.toFixed(2)}`);
        if (performance.now() > deadline) break;
      }
      if (performance.now() > deadline) break;
    }
  } finally {
    engine.dispose();
  }
  console.log(summarize(rows.filter((row) => row.model === model)));
}

function keyOf({ document, fact, cache }: Pick<Measured, 'document' | 'fact' | 'cache'>): string {
  return `${document} ${fact} ${cache}`;
}

function deviceOf(name: string): 'cpu' | 'vulkan' | 'cuda' | 'metal' | 'auto' {
  const known = (['cpu', 'vulkan', 'cuda', 'metal', 'auto'] as const).find((device) => device === name);
  if (known === undefined) throw new Error(`There is no device ${name}.`);
  return known;
}

function readRows(): FactRow[] {
  try {
    return JSON.parse(readFileSync(resultsPath, 'utf8')) as FactRow[];
  } catch {
    return [];
  }
}

/** One row a line, so that a new measurement is a new line. */
function writeRows(rows: readonly FactRow[]): void {
  mkdirSync(dirname(resultsPath), { recursive: true });
  writeFileSync(resultsPath, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}
