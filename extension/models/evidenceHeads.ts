/**
 * The query heads that find evidence, by model. They are a property of the weights, whatever the quantisation:
 * `npm run bench -- heads` chooses them from functions and their descriptions in any code base, without labels.
 */

/** Layer and query head, both counted from 0. */
export type AttentionHead = readonly [layer: number, head: number];

interface KnownHeads {
  /** `general.basename` and `general.size_label` of the GGUF file. */
  readonly basename: string;
  readonly sizeLabel: string;
  /** Best first. */
  readonly heads: readonly AttentionHead[];
}

const knownHeads: readonly KnownHeads[] = [
  {
    basename: 'smollm2',
    sizeLabel: '135M',
    heads: [
      [9, 2],
      [9, 0],
      [8, 0],
      [17, 4],
      [22, 7],
      [21, 4],
      [15, 6],
      [5, 6],
    ],
  },
];

/** The evidence heads of a model, or null when none were chosen for it. */
export function evidenceHeadsOf(
  basename: string | null,
  sizeLabel: string | null,
): readonly AttentionHead[] | null {
  const lower = basename?.toLowerCase();
  return knownHeads.find((known) => known.basename === lower && known.sizeLabel === sizeLabel)?.heads ?? null;
}
