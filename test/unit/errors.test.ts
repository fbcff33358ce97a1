import { describe, expect, test } from 'vitest';
import { cudaErrors } from '../../extension/cuda/cudaErrors.ts';
import { AskError, errors } from '../../extension/errors.ts';

const made: readonly [AskError, args: readonly (string | number)[], message: string][] = [
  [errors.cancelled(), [], 'The question was cancelled'],
  [errors.nothingToRead(7, 7), [7, 7], 'There is nothing to read: 7 files found, 7 left out'],
  [
    errors.notEnoughMemory(2 ** 31, 2 ** 30, 'this machine'),
    ['2.00 GiB', 'this machine', '1.00 GiB'],
    'The model needs about 2.00 GiB and this machine has 1.00 GiB free',
  ],
  [
    errors.pinNotRead('src/{1}.ts', 'is empty'),
    ['src/{1}.ts', 'is empty'],
    'src/{1}.ts was named in the question and cannot be read: is empty',
  ],
  [errors.engineVersion(2, 1), [1, 2], 'The engine speaks protocol version 1 and this program version 2'],
];

describe('an error of the catalogue', () => {
  test.each(made)('%s keeps its arguments', (error, args, message) => {
    expect(error).toMatchObject({ args, message });
  });

  // Every factory, called with arguments that can be told apart: each takes a string, a number or a list somewhere.
  test.each([...Object.entries(errors), ...Object.entries(cudaErrors)])(
    '%s: its template names each argument once',
    (_, make) => {
      const factory = make as (...args: readonly unknown[]) => AskError;
      const { template, args } = factory(...Array.from({ length: factory.length }, (_, n) => [n + 1]));
      const places = [...template.matchAll(/\{(\d+)\}/g)].map(([, index]) => Number(index));
      expect(places.toSorted()).toEqual(args.map((_, index) => index));
      expect(template).not.toMatch(/undefined|\$\{/);
    },
  );
});
