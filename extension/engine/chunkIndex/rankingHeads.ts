/**
 * The query heads that find a passage by a question which was read without it, by model: few, none in the last layers,
 * and not those that find evidence in what the question has seen. They are a property of the weights.
 */
import type { AttentionHead } from '../compression/options.ts';

interface KnownHeads {
  /** `general.basename` and `general.size_label` of the GGUF file. */
  readonly basename: string;
  readonly sizeLabel: string;
  /** Layer and query head, both from 0, best first. */
  readonly heads: readonly (readonly [layer: number, head: number])[];
}

const knownHeads: readonly KnownHeads[] = [
  {
    basename: 'smollm2',
    sizeLabel: '135M',
    heads: [
      [18, 6],
      [17, 3],
      [18, 7],
      [15, 6],
    ],
  },
];

/** The ranking heads of a model, or null when none were chosen for it. */
export function rankingHeadsOf(
  basename: string | null,
  sizeLabel: string | null,
): readonly AttentionHead[] | null {
  const lower = basename?.toLowerCase();
  const known = knownHeads.find((one) => one.basename === lower && one.sizeLabel === sizeLabel);
  return known?.heads.map(([layer, head]) => ({ layer, head })) ?? null;
}
