/** Measurements that take minutes and want a quiet machine: `npm run bench -- NAME [options]`. */
import { isAskError } from '../../extension/errors.ts';
import { evidenceHeadsBench } from './evidenceHeads.ts';
import { followUpsBench } from './followUps.ts';
import { reportBench } from './joined.ts';
import { plantedFactsBench } from './plantedFacts.ts';
import { qualityBench } from './quality/bench.ts';
import { rankingBench } from './ranking.ts';
import { reuseBench } from './reuse.ts';
import { speedBench } from './speed.ts';
import { walkBench } from './walk.ts';

interface Bench {
  readonly about: string;
  readonly run: (args: readonly string[]) => Promise<void>;
}

const benches: ReadonlyMap<string, Bench> = new Map([
  [
    'speed',
    {
      about: 'reading and answering compressed against plain llama.cpp, as ratios in one run',
      run: speedBench,
    },
  ],
  ['walk', { about: 'finding, reading and ranking a tree of 20,000 source files', run: walkBench }],
  ['facts', { about: 'how likely planted facts are after a reading, by preset', run: plantedFactsBench }],
  [
    'reuse',
    { about: 'follow-ups, restarts and repeated questions against a first reading', run: reuseBench },
  ],
  [
    'report',
    { about: 'what speed and reuse measured last, in one table with what bounds them', run: reportBench },
  ],
  [
    'followups',
    { about: 'what a cache compressed under one question holds for another', run: followUpsBench },
  ],
  [
    'ranking',
    { about: 'finding functions by words, by attention over stored keys, and by both', run: rankingBench },
  ],
  [
    'quality',
    { about: 'answers within a number of tokens against what one would do instead', run: qualityBench },
  ],
  [
    'heads',
    { about: 'chooses the evidence heads of a model from code, without labels', run: evidenceHeadsBench },
  ],
]);

const [name = '--help', ...args] = process.argv.slice(2);
const bench = benches.get(name);
if (bench === undefined) {
  const asked = name === '--help';
  if (!asked) console.error(`There is no bench ${name}.\n`);
  const names = Array.from(benches, ([bench, { about }]) => `  ${bench.padEnd(8)}${about}`);
  (asked ? console.log : console.error)(
    ['npm run bench -- NAME [options]', ...names, 'Each says its options with NAME --help.'].join('\n'),
  );
  process.exitCode = asked ? 0 : 2;
} else {
  try {
    await bench.run(args);
  } catch (error) {
    console.error(isAskError(error) ? `${error.message}.\n${error.remedy}` : error);
    process.exitCode = 3;
  }
}
