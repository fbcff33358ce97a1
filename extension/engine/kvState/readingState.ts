/**
 * A reading as bytes and back: the rows of the KV cache, which tokens they hold, and a probe of the next logits that
 * shows whether what was restored is what was saved.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CellList, ReadingPosition } from '../compression/compress.ts';
import type { OpenedContext } from '../loadedEngine.ts';
import type { LlamaContext } from '../llama/llamaContext.ts';
import type { Token } from '../numbers.ts';

/** A reading that the context holds in its cells 0..cells-1. */
export interface HeldReading extends ReadingPosition {
  readonly key: string;
  readonly cells: number;
  /** Document tokens in all; fewer have been read when it was stopped. */
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly readAt: number;
}

/** As it is stored: the header is plain JSON. */
export interface StoredReading {
  readonly header: Readonly<Record<string, unknown>>;
  readonly sections: readonly Uint8Array[];
}

const header = z.object({
  key: z.string(),
  read: z.int().nonnegative(),
  total: z.int().positive(),
  cells: z.int().positive(),
  lists: z.int().positive(),
  /** Whether the last list is that of the layers with a window. */
  windowed: z.boolean(),
  readAt: z.number(),
  probe: z.string(),
});

/**
 * Copies what the context holds. Must be called when it holds the reading's cells and nothing else.
 * The keys as first written are needed only to read on.
 */
export function saveReading({ context, operations }: OpenedContext, held: HeldReading): StoredReading {
  const { windowed, key, read, total, cells, readAt } = held;
  const lists = windowed === null ? held.lists : [...held.lists, windowed];
  const sequence = context.saveSequence();
  return {
    header: {
      ...{ key, read, total, cells, readAt },
      lists: lists.length,
      windowed: windowed !== null,
      probe: probe(context),
    } satisfies z.infer<typeof header>,
    sections: [
      sequence,
      joined(lists.map(({ entries }) => entries)),
      joined(lists.map(({ firstPositions }) => firstPositions)),
      ...(read < total ? [operations.saveFirstKeys(cells)] : []),
    ],
  };
}

/**
 * Puts a stored reading into the context.
 * @returns what it holds then, or, with an empty context, a sentence on why it is not what was saved.
 */
export function restoreReading(
  { context, operations }: OpenedContext,
  stored: StoredReading,
  key: string,
): HeldReading | string {
  const parsed = header.safeParse(stored.header);
  if (!parsed.success) return `its header is not a reading's: ${z.prettifyError(parsed.error)}`;
  const { lists: listCount, windowed, probe: expected, ...held } = parsed.data;
  const [sequence, entries, firstPositions, firstKeys] = stored.sections;
  if (held.key !== key) return 'it is that of another reading';
  const length = held.cells * listCount * Int32Array.BYTES_PER_ELEMENT;
  if (sequence === undefined || entries?.length !== length || firstPositions?.length !== length) {
    return 'its parts do not have the lengths that its header says';
  }
  const refused = (why: string): string => {
    context.clear();
    return why;
  };
  if (held.cells >= context.contextSize || !context.restoreSequence(sequence, held.cells)) {
    return refused('llama.cpp does not take its rows');
  }
  if (
    held.read < held.total &&
    (firstKeys === undefined || !operations.restoreFirstKeys(held.cells, firstKeys))
  ) {
    return refused('the keys as first written are not those of its rows');
  }
  if (probe(context) !== expected) {
    return refused('its next logits are not those that were saved with it');
  }
  const [entriesOf, positionsOf] = [cut(entries, held.cells), cut(firstPositions, held.cells)];
  const lists = entriesOf.map((list, index): CellList => ({
    entries: list,
    firstPositions: positionsOf[index]!,
  }));
  return { ...held, windowed: (windowed ? lists.pop() : null) ?? null, lists };
}

/** A hash of the logits after one fixed token behind the cells, which stay as they are. */
function probe(context: LlamaContext): string {
  const { length } = context;
  context.decode([0 as Token], { logits: 'last' });
  const logits = context.logits();
  context.truncate(length);
  return createHash('sha256').update(logits).digest('hex');
}

function joined(lists: readonly Int32Array[]): Uint8Array {
  const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const list of lists) {
    all.set(list, offset);
    offset += list.length;
  }
  return new Uint8Array(all.buffer);
}

function cut(bytes: Uint8Array, length: number): Int32Array[] {
  // A copy: the bytes lie anywhere in what was read from the disk.
  const all = new Int32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: all.length / length }, (_, list) =>
    all.subarray(list * length, (list + 1) * length),
  );
}
