/** What was read for the answers of a conversation, as pure functions. */
import type { Conversation, ReadingRecord } from '../protocol/conversation.ts';
import type { Readings } from './storedConversation.ts';

export const noReadings: Readings = { records: {}, of: {} };

export function readingOf(readings: Readings, exchangeId: string): ReadingRecord | undefined {
  const id = readings.of[exchangeId];
  return id === undefined ? undefined : readings.records[id];
}

/** Whether one of the readings has lines of a file. */
export function isAmong({ records }: Readings, workspace: string, path: string): boolean {
  return Object.values(records).some(({ files }) =>
    files.some((file) => file.path === path && file.workspace === workspace),
  );
}

/** What a new answer goes on with: the exchange's own reading, or that of the latest exchange before it that has one. */
export function earlierReading(
  readings: Readings,
  { exchanges }: Conversation,
  exchangeId: string,
): string | undefined {
  const end = exchanges.findIndex(({ id }) => id === exchangeId);
  const ids = exchanges.slice(0, end + 1).map(({ id }) => readings.of[id]);
  return ids.findLast((id) => id !== undefined && readings.records[id] !== undefined);
}

/** The exchange has this reading from now on; readings that no exchange has any more are dropped. */
export function withReading(
  readings: Readings,
  exchangeId: string,
  readingId: string,
  record?: ReadingRecord,
): Readings {
  const records = record === undefined ? readings.records : { ...readings.records, [readingId]: record };
  return onlyUsed({ records, of: { ...readings.of, [exchangeId]: readingId } });
}

/** A count for each exchange whose reading has one above 0. */
export async function countByExchange(
  { records, of }: Readings,
  count: (record: ReadingRecord) => Promise<number>,
): Promise<Readonly<Record<string, number>>> {
  const counts = new Map<string | undefined, number>();
  for (const [id, record] of Object.entries(records)) counts.set(id, await count(record));
  const byExchange = Object.entries(of).map(([exchangeId, id]) => [exchangeId, counts.get(id) ?? 0] as const);
  return Object.fromEntries(byExchange.filter(([, number]) => number > 0));
}

/** The readings of some exchanges under the ids that these have in another conversation. */
export function branchReadings(readings: Readings, ids: ReadonlyMap<string, string>): Readings {
  const of = [...ids].flatMap(([from, to]) => {
    const reading = readings.of[from];
    return reading === undefined ? [] : [[to, reading] as const];
  });
  return onlyUsed({ records: readings.records, of: Object.fromEntries(of) });
}

function onlyUsed({ records, of }: Readings): Readings {
  const used = new Set(Object.values(of));
  return { records: Object.fromEntries(Object.entries(records).filter(([id]) => used.has(id))), of };
}
