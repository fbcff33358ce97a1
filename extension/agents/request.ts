/** What other programs may ask with, checked: the input of the tool and the options of the exported function. */
import * as z from 'zod';
import { longestQuestion } from '../ask.ts';
import { pinSchema } from '../conversations/storedConversation.ts';
import { errors } from '../errors.ts';
import { mostTokens } from '../terminal/arguments.ts';
import type { AskOptions } from './api.ts';

/** Of one question. */
const mostNamed = 100;

const tokens = z.int().min(1).max(mostTokens);
const readingLimit = z.union([tokens, z.literal('all')]);
const question = z
  .string()
  .min(1)
  .max(longestQuestion)
  .refine((text) => text.trim() !== '', 'is empty');

export const toolInputSchema = z.strictObject({
  question: question.describe('What is asked, in whole sentences; names of files and symbols help.'),
  paths: z
    .array(z.string().min(1).max(4096))
    .max(mostNamed)
    .optional()
    .describe(
      'Files, folders or lines that are read first: "src/a.ts", "src", "src/a.ts:12-40". Absolute, or inside a ' +
        'workspace folder; with several, begin with the name of the folder.',
    ),
  readingLimit: readingLimit
    .optional()
    .describe(
      'Tokens of source to read at most, the best-ranked first, or "all". When left out: what the user has set.',
    ),
  maxAnswerTokens: tokens
    .optional()
    .describe('Longest answer, in tokens. When left out: what the user has set.'),
});

const optionsSchema = z.strictObject({
  signal: z.instanceof(AbortSignal).exactOptional(),
  pins: z.array(pinSchema).max(mostNamed).exactOptional(),
  history: z.array(z.strictObject({ question: z.string(), answer: z.string() })).exactOptional(),
  readingLimit: readingLimit.exactOptional(),
  maxAnswerTokens: tokens.exactOptional(),
  background: z.literal(true).exactOptional(),
}) satisfies z.ZodType<AskOptions>;

/** @throws AskError badArgument, which names what is not valid */
export function parseToolInput(input: unknown): z.infer<typeof toolInputSchema> {
  return parse(toolInputSchema, input);
}

/** @throws AskError badArgument, which names what is not valid */
export function parseApiRequest(request: { readonly question: unknown; readonly options: unknown }): {
  question: string;
  options: z.infer<typeof optionsSchema>;
} {
  return parse(z.object({ question, options: optionsSchema }), request);
}

/** As package.json has it. */
export function toolInputJsonSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(toolInputSchema, { io: 'input' });
  return schema;
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const problems = error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
  throw errors.badRequest(problems.join('; '));
}
