import { expect, test } from 'vitest';
import { joinedReport } from '../../bench/joined.ts';

test('the report of speed and reuse says what is wanted, whether it is met, and what bounds it', () => {
  const device = 'two cores';
  const text = joinedReport([
    {
      ...{ date: '2026-11-25', model: 'small', device, memoryGigabytesPerSecond: 12.5 },
      measured: [
        {
          ...{ name: 'generating', wanted: 1.05, measured: 1.0231 },
          ...{ millisecondsPerToken: { engine: 10.2, plain: 9.9 }, limitMilliseconds: 7.704 },
        },
        { name: 'peak memory', wanted: 1, measured: 0.88, megabytes: { engine: 401, plain: 454 } },
      ],
    },
    {
      ...{ date: '2026-11-24', model: 'small', device },
      measured: [{ name: 'restoring', wanted: 3, measured: 3.0001 }],
    },
  ]);
  expect(text.split('\n')).toEqual([
    '2026-11-25, small, two cores, memory 12.5 GB/s',
    '2026-11-24, small, two cores',
    '',
    '|  | measured | at most |  | engine | plain llama.cpp | limit |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    "| generating | 1.02 | 1.05 | met | 10.20 ms a token | 9.90 ms a token | 7.70 ms: its bytes over the memory's |",
    '| peak memory | 0.88 | 1 | met | 401 MB | 454 MB |  |',
    '| restoring | 3 | 3 | missed |  |  |  |',
  ]);
});
