/** `npm run bench -- report`: what `speed` and `reuse` measured last, with their limits, as one table in Markdown. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const milliseconds = z.object({ engine: z.number(), plain: z.number() });

const result = z.object({
  date: z.iso.date(),
  model: z.string(),
  device: z.string(),
  memoryGigabytesPerSecond: z.number().optional(),
  measured: z.array(
    z.object({
      name: z.string(),
      wanted: z.number(),
      measured: z.number(),
      millisecondsPerToken: milliseconds.optional(),
      limitMilliseconds: z.number().optional(),
      megabytes: milliseconds.optional(),
    }),
  ),
});

export type BenchResult = z.infer<typeof result>;

const paths = ['test/bench/results/speed.json', 'test/bench/results/reuse.json'];

export const usage = 'npm run bench -- report';

export function reportBench(): Promise<void> {
  console.log(joinedReport(paths.map((path) => result.parse(JSON.parse(readFileSync(path, 'utf8'))))));
  return Promise.resolve();
}

/** A table of all that was measured: what is wanted, what came out, and what bounds it. */
export function joinedReport(results: readonly BenchResult[]): string {
  const about = results.map(({ date, model, device, memoryGigabytesPerSecond: speed }) =>
    [date, model, device, ...(speed === undefined ? [] : [`memory ${speed} GB/s`])].join(', '),
  );
  const rows = results.flatMap(({ measured }) =>
    measured.map(({ name, wanted, measured: value, ...more }) => [
      ...[name, three(value), three(wanted), value <= wanted ? 'met' : 'missed'],
      ...besides(more),
    ]),
  );
  const head = ['', 'measured', 'at most', '', 'engine', 'plain llama.cpp', 'limit'];
  return [
    ...new Set(about),
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line(row)),
  ].join('\n');
}

function besides({
  millisecondsPerToken: ms,
  limitMilliseconds: limit,
  megabytes,
}: Omit<BenchResult['measured'][number], 'name' | 'wanted' | 'measured'>): string[] {
  if (megabytes !== undefined) return [`${megabytes.engine} MB`, `${megabytes.plain} MB`, ''];
  if (ms === undefined) return ['', '', ''];
  const [engine, plain] = [ms.engine, ms.plain].map((value) => `${value.toFixed(2)} ms a token`);
  return [engine!, plain!, limit === undefined ? '' : `${limit.toFixed(2)} ms: its bytes over the memory's`];
}

function three(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
