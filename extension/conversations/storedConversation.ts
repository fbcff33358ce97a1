/** The form of a conversation in its file. What is read from the disk is checked, since it may be damaged or foreign. */
import { z } from 'zod';
import type {
  Conversation,
  Draft,
  Exchange,
  Pin,
  ReadingRecord,
  RemedyAction,
} from '../protocol/conversation.ts';
import type { ReadAgainReason } from '../protocol/answerEvents.ts';
import { skipReasonText, type SkipReason } from '../protocol/nouns.ts';

export interface StoredConversation {
  readonly conversation: Conversation;
  readonly readings: Readings;
}

/** What was read for the answers of a conversation; a follow-up shares the reading that it goes on with. */
export interface Readings {
  /** By an id of its own. */
  readonly records: Readonly<Record<string, ReadingRecord>>;
  /** By exchange: the id of its reading. */
  readonly of: Readonly<Record<string, string>>;
}

/** What the panel showed last. */
export interface StoredPanel {
  readonly shown: string | null;
  /** By conversation; the one that has not begun is under ''. */
  readonly drafts: Readonly<Record<string, Draft>>;
}

const formatVersion = 1;

const lines = { workspace: z.string(), path: z.string(), startLine: z.int(), endLine: z.int() };
export const pinSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['file', 'folder']), workspace: z.string(), path: z.string() }),
  z.object({ kind: z.literal('lines'), ...lines }),
]) satisfies z.ZodType<Pin>;

const statistics = z.object({
  documentTokens: z.number(),
  keptTokens: z.number(),
  tokenBudget: z.number(),
  prefillTokens: z.number(),
  prefillSeconds: z.number(),
  scoreSeconds: z.number(),
  evictSeconds: z.number(),
  generatedTokens: z.number(),
  generateSeconds: z.number(),
  kvCacheBytes: z.number(),
  peakEngineBytes: z.number(),
  reused: z.enum(['none', 'state', 'index']),
  readAt: z.number().exactOptional(),
});

const facts = z.object({
  citations: z.array(z.object({ ...lines, source: z.enum(['answer', 'evidence']) })),
  evidence: z.array(z.object({ ...lines, weight: z.number() })),
  thinEvidence: z.boolean(),
  coverage: z.object({ filesFound: z.int(), filesRead: z.int() }),
  statistics,
  model: z.string(),
  device: z.string(),
  seconds: z.number(),
});

export const remedyActionSchema = z.enum([
  'getModel',
  'getCuda',
  'setHubToken',
  'chooseModel',
  'askAgain',
  'continue',
  'showFiles',
  'openFolder',
  'openSettings',
  'showLog',
  'manageTrust',
]) satisfies z.ZodType<RemedyAction>;

const failure = z.object({
  reason: z.string(),
  message: z.string(),
  remedy: z.string(),
  actions: z.array(
    z.object({
      action: remedyActionSchema,
      label: z.string(),
    }),
  ),
});

const readAgain = z.discriminatedUnion('reason', [
  z.object({ reason: z.literal('filesChanged'), files: z.int() }),
  z.object({ reason: z.literal('notStored') }),
  z.object({ reason: z.literal('notHeld') }),
]) satisfies z.ZodType<ReadAgainReason>;

const exchange = z.object({
  id: z.string(),
  question: z.string(),
  pins: z.array(pinSchema),
  askedAt: z.number(),
  state: z.enum(['waiting', 'running', 'answered', 'stopped', 'interrupted', 'failed']),
  text: z.string(),
  facts: facts.exactOptional(),
  failure: failure.exactOptional(),
  readAgain: readAgain.exactOptional(),
}) satisfies z.ZodType<Exchange>;

const conversation = z.object({
  id: z.string(),
  title: z.string(),
  createdAt: z.number(),
  changedAt: z.number(),
  exchanges: z.array(exchange),
}) satisfies z.ZodType<Conversation>;

const skipReasons = Object.keys(skipReasonText) as [SkipReason, ...SkipReason[]];
const skippedFile = z.object({
  workspace: z.string(),
  path: z.string(),
  reason: z.enum(skipReasons),
  detail: z.string().exactOptional(),
});

export const readingRecordSchema = z.object({
  question: z.string(),
  previousQuestion: z.string().exactOptional(),
  folders: z.array(z.string()),
  pins: z.array(pinSchema),
  readingLimit: z.union([z.number(), z.literal('all')]).exactOptional(),
  tokens: z.number(),
  everything: z.boolean(),
  files: z.array(z.object({ workspace: z.string(), path: z.string(), hash: z.string() })),
  passages: z.array(z.tuple([z.int(), z.int(), z.int()])),
  coverage: z.object({ filesFound: z.int(), filesRead: z.int(), skipped: z.array(skippedFile) }),
}) satisfies z.ZodType<ReadingRecord>;

const stored = z
  .object({
    version: z.literal(formatVersion),
    conversation,
    readings: z.object({
      records: z.record(z.string(), readingRecordSchema),
      of: z.record(z.string(), z.string()),
    }),
  })
  .transform(({ version: _, ...value }): StoredConversation => value);

export const draftSchema = z.object({
  text: z.string(),
  pins: z.array(pinSchema),
}) satisfies z.ZodType<Draft>;
const panel = z
  .object({
    version: z.literal(formatVersion),
    shown: z.string().nullable(),
    drafts: z.record(z.string(), draftSchema),
  })
  .transform(({ version: _, ...value }): StoredPanel => value);

/** Throws an Error that says what is wrong and where when it is not a conversation. */
export function parseConversation(json: string): StoredConversation {
  return parse(stored, json);
}

/** Throws like `parseConversation`. */
export function parsePanel(json: string): StoredPanel {
  return parse(panel, json);
}

export function formatStored(value: StoredConversation | StoredPanel): string {
  return JSON.stringify({ version: formatVersion, ...value });
}

function parse<T>(schema: z.ZodType<T>, json: string): T {
  const result = schema.safeParse(JSON.parse(json));
  if (result.success) return result.data;
  throw new Error(z.prettifyError(result.error));
}
