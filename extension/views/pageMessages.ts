/** What the page sends, checked: the page shows text that nobody vouches for. */
import { z } from 'zod';
import { draftSchema, pinSchema, remedyActionSchema } from '../conversations/storedConversation.ts';
import type { FromPage } from '../protocol/chat.ts';
import { longestQuestion } from '../ask.ts';

const id = z.string().max(64);
const request = z.int();
const longText = z.string().max(10_000_000);
const question = z.string().max(longestQuestion);
const line = z.int().min(1);
const place = z.object({
  workspace: z.string().max(4096),
  path: z.string().max(4096),
  lines: z.object({ startLine: line, endLine: line }).exactOptional(),
});
const fromPage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('resync') }),
  z.object({ type: z.literal('ask'), question, pins: z.array(pinSchema) }),
  z.object({ type: z.literal('draft'), draft: draftSchema }),
  z.object({ type: z.literal('stop'), exchangeId: id }),
  z.object({ type: z.literal('regenerate'), exchangeId: id }),
  z.object({ type: z.literal('askAgain'), exchangeId: id }),
  z.object({ type: z.literal('edit'), exchangeId: id, question, pins: z.array(pinSchema) }),
  z.object({ type: z.literal('continue'), exchangeId: id }),
  z.object({ type: z.literal('confirm'), exchangeId: id, reading: z.enum(['planned', 'smaller']) }),
  z.object({ type: z.literal('getModel'), exchangeId: id, name: z.string().max(1000) }),
  z.object({ type: z.literal('pauseModel'), exchangeId: id }),
  z.object({ type: z.literal('remedy'), exchangeId: id.nullable(), action: remedyActionSchema }),
  z.object({ type: z.literal('clearStoredReadings') }),
  z.object({ type: z.literal('newConversation') }),
  z.object({ type: z.literal('openConversation'), conversationId: id }),
  z.object({ type: z.literal('renameConversation'), conversationId: id, title: z.string().max(1000) }),
  z.object({ type: z.literal('deleteConversation'), conversationId: id }),
  z.object({ type: z.literal('exportConversation'), conversationId: id }),
  z.object({ type: z.literal('copy'), text: longText }),
  z.object({ type: z.literal('insert'), text: longText }),
  z.object({ type: z.literal('open'), place }),
  z.object({ type: z.literal('markEvidence'), exchangeId: id.nullable() }),
  z.object({ type: z.literal('showCoverage'), exchangeId: id }),
  z.object({ type: z.literal('complete'), request, text: z.string().max(1000) }),
  z.object({ type: z.literal('checkLinks'), request, texts: z.array(z.string().max(1000)).max(1000) }),
  z.object({ type: z.literal('showLines'), request, place }),
  z.object({ type: z.literal('find'), request, text: z.string().max(1000) }),
]) satisfies z.ZodType<FromPage>;

/** Undefined for anything that is not a message of the page. */
export function parsePageMessage(message: unknown): FromPage | undefined {
  return fromPage.safeParse(message).data;
}
