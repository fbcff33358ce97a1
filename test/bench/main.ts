/** Measurements that take minutes and want a quiet machine: `npm run bench -- NAME [options]`. */
import { isAskError } from '../../extension/errors.ts';
import * as evidenceHeads from './evidenceHeads.ts';
import * as followUps from './followUps.ts';
import * as joined from './joined.ts';
import * as plantedFacts from './plantedFacts.ts';
import * as quality from './quality/bench.ts';
import * as ranking from './ranking.ts';
import * as reuse from './reuse.ts';
import * as speed from './speed.ts';
import * as walk from './walk.ts';

interface Bench {
  readonly about: string;
  /** What `--help` says. */
  readonly usage: string;
  readonly run: (args: readonly string[]) => Promise<void>;
}

const benches: Readonly<Record<string, Bench>> = {
  speed: {
    about: 'reading and answering compressed against plain llama.cpp, as ratios in one run',
    usage: speed.usage,
    run: speed.speedBench,
  },
  walk: {
    about: 'finding, reading and ranking a tree of 20,000 source files',
    usage: walk.usage,
    run: walk.walkBench,
  },
  facts: {
    about: 'how likely planted facts are after a reading, by preset',
    usage: plantedFacts.usage,
    run: plantedFacts.plantedFactsBench,
  },
  reuse: {
    about: 'follow-ups, restarts and repeated questions against a first reading',
    usage: reuse.usage,
    run: reuse.reuseBench,
  },
  report: {
    about: 'what speed and reuse measured last, in one table with what bounds them',
    usage: joined.usage,
    run: joined.reportBench,
  },
  followups: {
    about: 'what a cache compressed under one question holds for another',
    usage: followUps.usage,
    run: followUps.followUpsBench,
  },
  ranking: {
    about: 'finding functions by words, by attention over stored keys, and by both',
    usage: ranking.usage,
    run: ranking.rankingBench,
  },
  quality: {
    about: 'answers within a number of tokens against what one would do instead',
    usage: quality.usage,
    run: quality.qualityBench,
  },
  heads: {
    about: 'chooses the evidence heads of a model from code, without labels',
    usage: evidenceHeads.usage,
    run: evidenceHeads.evidenceHeadsBench,
  },
};

const [name = '--help', ...args] = process.argv.slice(2);
const bench = Object.entries(benches).find(([one]) => one === name)?.[1];
if (bench === undefined) {
  const asked = name === '--help';
  if (!asked) console.error(`There is no bench ${name}.\n`);
  const names = Object.entries(benches).map(([one, { about }]) => `  ${one.padEnd(11)}${about}`);
  (asked ? console.log : console.error)(
    ['npm run bench -- NAME [options]', ...names, 'Each says its options with NAME --help.'].join('\n'),
  );
  process.exitCode = asked ? 0 : 2;
} else if (args.includes('--help')) {
  console.log(bench.usage);
} else {
  try {
    await bench.run(args);
  } catch (error) {
    if (isWrongOption(error)) {
      console.error(`${error.message}\n\n${bench.usage}`);
      process.exitCode = 2;
    } else {
      console.error(isAskError(error) ? `${error.message}.\n${error.remedy}` : error);
      process.exitCode = 3;
    }
  }
}

/** Whether `parseArgs` found something on the command line that it was not told of. */
function isWrongOption(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  );
}
