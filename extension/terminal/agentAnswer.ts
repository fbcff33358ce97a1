/** An answer as it is given to an agent, by the MCP server and by the tool in VS Code: its schema, as values and as text. */
import * as z from 'zod';
import type { CompletedAnswer } from '../protocol/answerEvents.ts';
import { skipReasonText } from '../protocol/nouns.ts';
import type { WorkspaceFolder } from '../workspace/findFiles.ts';
import {
  citationLines,
  coverageLines,
  printedSections,
  shownNames,
  skippedByReason,
} from './answerSections.ts';
import { safeText } from './safeText.ts';

const line = z.int().min(1).describe('1-based; the end is inclusive.');
const fileCount = z.int().min(0);

export const agentAnswerSchema = z.strictObject({
  answer: z.string().describe('Markdown.'),
  citations: z.array(
    z.strictObject({
      folder: z.string().describe('One of the allowed folders, absolute.'),
      path: z.string().describe('Inside the folder, with forward slashes.'),
      startLine: line,
      endLine: line,
      source: z
        .enum(['answer', 'evidence'])
        .describe(
          '"answer": named in the answer. "evidence": it named none, and these are what it rests on.',
        ),
    }),
  ),
  littleFound: z.boolean().describe('Little was found: take the answer with care.'),
  coverage: z.strictObject({
    filesFound: fileCount,
    filesRead: fileCount,
    notRead: z.array(
      z.strictObject({
        reason: z.string(),
        files: fileCount.describe('A folder that is left out as a whole counts as one.'),
        examples: z.array(z.string()).describe(`At most ${shownNames}.`),
      }),
    ),
  }),
});

/** The answer with everything that an agent is told of it, without what only a person looks at. */
export function agentAnswer(
  answer: CompletedAnswer,
  folders: readonly WorkspaceFolder[],
): z.infer<typeof agentAnswerSchema> {
  const rootPaths = new Map(folders.map(({ name, rootPath }) => [name, rootPath]));
  return {
    answer: answer.text,
    citations: answer.citations.map(({ workspace, path, startLine, endLine, source }) => ({
      folder: rootPaths.get(workspace) ?? workspace,
      ...{ path, startLine, endLine, source },
    })),
    littleFound: answer.thinEvidence,
    coverage: {
      filesFound: answer.coverage.filesFound,
      filesRead: answer.coverage.filesRead,
      notRead: skippedByReason(answer.coverage).map(([reason, files]) => ({
        reason: skipReasonText[reason],
        files: files.length,
        examples: files.slice(0, shownNames).map(({ path }) => path),
      })),
    },
  };
}

/** For agents that look at text alone. */
export function agentAnswerText(answer: CompletedAnswer, folders: readonly WorkspaceFolder[]): string {
  const heading = (title: string) => title;
  const severalFolders = folders.length > 1;
  const options = { heading, severalFolders };
  const places = folders.map(({ name, rootPath }) =>
    severalFolders && name !== rootPath ? `${name}: ${rootPath}` : rootPath,
  );
  const sections = printedSections(
    [
      ['Citations', citationLines(answer, options)],
      [severalFolders ? 'Folders' : 'Folder', places.map(safeText)],
      ['Coverage', coverageLines(answer.coverage, options)],
    ],
    heading,
  );
  return `${safeText(answer.text).trimEnd()}\n${sections}`;
}
