/** What the tool of the server for agents answers with, as an agent may count on it. */
import * as z from 'zod';

export const resultSchema = z.object({
  answer: z.string(),
  citations: z.array(
    z.object({
      folder: z.string(),
      path: z.string(),
      startLine: z.number(),
      endLine: z.number(),
      source: z.string(),
    }),
  ),
  littleFound: z.boolean(),
  coverage: z.object({
    filesFound: z.number(),
    filesRead: z.number(),
    notRead: z.array(z.object({ reason: z.string(), files: z.number(), examples: z.array(z.string()) })),
  }),
});

/** @throws when there is anything but one text */
export function textOf(result: Readonly<Record<string, unknown>>): string {
  return z.tuple([z.object({ type: z.literal('text'), text: z.string() })]).parse(result['content'])[0].text;
}
