/** Contents of states that are known from a number, so that whoever reads one can tell whether it is whole. */
import type { StateContent } from '../../../extension/stateStore/stateFile.ts';

/** Bytes that differ from place to place and from seed to seed. */
export function bytesFrom(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed + 1) * 2_654_435_761;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export function contentFrom(seed: number, sizes: readonly number[]): StateContent {
  return {
    header: { seed, sizes, text: 'ünï\u2028"\\' },
    sections: sizes.map((size, index) => bytesFrom(seed * 31 + index, size)),
  };
}

/** Whether the sections are those that the header tells. */
export function isWhole({ header, sections }: StateContent): boolean {
  const { seed, sizes } = header;
  if (typeof seed !== 'number' || !Array.isArray(sizes) || sizes.length !== sections.length) return false;
  const expected = contentFrom(seed, sizes.map(Number));
  return (
    JSON.stringify(header) === JSON.stringify(expected.header) &&
    sections.every((section, index) => Buffer.from(section).equals(expected.sections[index]!))
  );
}

/** The name of a state, from a small number. */
export function nameOf(number: number, kind = '.kv'): string {
  return number.toString(16).padStart(16, '0') + kind;
}
