/** The form of a conversation in its file. What is read from the disk is checked, since it may be damaged or foreign. */
import { z } from 'zod';
import type { Conversation, Draft, Exchange, Pin, RemedyAction } from '../protocol/conversation.ts';
import { skipReasonText, type SkippedFile, type SkipReason } from '../protocol/nouns.ts';

export interface StoredConversation {
  readonly conversation: Conversation;
  /** By exchange: what was left out of its reading. */
  readonly skipped: Readonly<Record<string, readonly SkippedFile[]>>;
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
  reused: z.boolean(),
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

const exchange = z.object({
  id: z.string(),
  question: z.string(),
  pins: z.array(pinSchema),
  askedAt: z.number(),
  state: z.enum(['waiting', 'running', 'answered', 'stopped', 'interrupted', 'failed']),
  text: z.string(),
  facts: facts.exactOptional(),
  failure: failure.exactOptional(),
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

const stored = z
  .object({
    version: z.literal(formatVersion),
    conversation,
    skipped: z.record(z.string(), z.array(skippedFile)),
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
