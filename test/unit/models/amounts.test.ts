import { expect, test } from 'vitest';
import { bytesText, durationText, memoryBar } from '../../../extension/models/amounts.ts';

test.each([
  ['a little', 1, 1_000, '▰▱▱▱▱▱▱▱▱▱'],
  ['a third', 333, 1_000, '▰▰▰▰▱▱▱▱▱▱'],
  ['all', 1_000, 1_000, '▰▰▰▰▰▰▰▰▰▰'],
  ['more than there is', 5_000, 1_000, '▰▰▰▰▰▰▰▰▰▰'],
  ['what nothing is free for', 5_000, 0, '▰▰▰▰▰▰▰▰▰▰'],
])('the bar of %s', (_, needed, free, bar) => {
  expect(memoryBar(needed, free)).toBe(bar);
});

test.each([
  [40_400, '40 kB'],
  [98_362_432, '98 MB'],
  [1_117_000_000, '1.1 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0.2, '1 s'],
  [89, '89 s'],
  [350, '6 min'],
])('%d s are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
