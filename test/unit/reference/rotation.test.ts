import { expect, test } from 'vitest';
import { gaussians } from '../../reference/random.ts';
import { makeRotation, rotate, type RotationOptions } from '../../reference/rotation.ts';

const factors = Float64Array.of(1, 1, 1.5, 3, 5, 8, 8, 8);
const cases: [string, RotationOptions][] = (['neighbours', 'halves'] as const).flatMap((pairing) => {
  const plain = { pairing, dims: 16, base: 10_000 };
  return [
    [`${pairing}, plain`, plain],
    [`${pairing}, with factors`, { ...plain, factors }],
    [`${pairing}, YaRN`, { ...plain, yarn: { factor: 4, originalContext: 256 } }],
  ] satisfies [string, RotationOptions][];
});

function randomVector(name: string): Float64Array {
  return Float64Array.from(gaussians(16, 1, name));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 12);
}

test.each([
  ['neighbours', [Math.cos(2), Math.sin(2), -Math.sin(0.02), Math.cos(0.02)]],
  ['halves', [Math.cos(2), -Math.sin(0.02), Math.sin(2), Math.cos(0.02)]],
] as const)('pairs of %s turn by position * base^(-2d/dims)', (pairing, expected) => {
  const rotation = makeRotation({ pairing, dims: 4, base: 10_000 });
  expectClose(rotate(rotation, Float64Array.of(1, 0, 0, 1), 2), expected);
});

test.each(cases)('%s: position 0 only scales by the magnitude', (_, options) => {
  const rotation = makeRotation(options);
  const key = randomVector('key');
  expectClose(
    rotate(rotation, key, 0),
    key.map((value) => value * rotation.magnitude),
  );
});

test.each(cases)('%s: a product of query and key depends on their distance alone', (_, options) => {
  const rotation = makeRotation(options);
  const [query, key] = [randomVector('query'), randomVector('key')];
  const at = (position: number) =>
    dot(rotate(rotation, query, position + 9), rotate(rotation, key, position));
  expect(at(731)).toBeCloseTo(at(0), 10);
  expect(dot(rotate(rotation, query, 10), rotate(rotation, key, 0))).not.toBeCloseTo(at(0), 3);
});

test.each(cases)('%s: from p to t is a rotation by t - p without magnitude', (_, options) => {
  const rotation = makeRotation(options);
  const key = randomVector('key');
  const moved = rotate({ ...rotation, magnitude: 1 }, rotate(rotation, key, 400), 7 - 400);
  expectClose(moved, rotate(rotation, key, 7));
});

test('factors divide the frequencies', () => {
  const plain = { pairing: 'halves', dims: 16, base: 10_000 } as const;
  const { frequencies } = makeRotation(plain);
  expectClose(
    makeRotation({ ...plain, factors }).frequencies,
    frequencies.map((frequency, pair) => frequency / factors[pair]!),
  );
});

test('YaRN keeps the fast pairs, slows the slow ones by the factor and grows the magnitude', () => {
  const plain = { pairing: 'halves', dims: 64, base: 10_000 } as const;
  const { frequencies } = makeRotation(plain);
  const yarn = makeRotation({ ...plain, yarn: { factor: 4, originalContext: 4096 } });
  const slowing = frequencies.map((frequency, pair) => frequency / yarn.frequencies[pair]!);
  // 4096 positions: pair 10.46 turns 32 times in them, pair 22.51 once.
  expectClose(slowing.slice(0, 11), new Float64Array(11).fill(1));
  expectClose(slowing.slice(23), new Float64Array(9).fill(4));
  // Half way, pair 16.5 would be slowed to the mean of 1 and 1/4; pair 16 is 6/13 of the way.
  expect(slowing[16]).toBeCloseTo(1 / (7 / 13 + 6 / 13 / 4), 12);
  expect(yarn.magnitude).toBeCloseTo(1.138629436, 9);
});
