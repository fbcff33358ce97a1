/** The tool of the server for agents: what it takes, what it gives, and how far a question is. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { leastDefaultReading, longestQuestion, patienceSeconds, readPerKept } from '../ask.ts';
import type { AskError } from '../errors.ts';
import type { AnswerStage, CompletedAnswer, ProgressEvent } from '../protocol/answerEvents.ts';
import type { WorkspaceFolder } from '../workspace/findFiles.ts';
import { agentAnswer, agentAnswerSchema, agentAnswerText } from './agentAnswer.ts';
import { defaultMaxAnswerTokens, defaultTokenBudget, leastTokenBudget, mostTokens } from './arguments.ts';
import { failureText, progressText } from './printer.ts';

export const toolName = 'ask_codebase';

const mostFolders = 100; // of one question

/** @param offered absolute paths of the folders that may be read */
export function toolConfiguration(offered: readonly string[]) {
  return {
    title: 'Ask the codebase',
    description:
      'Answers a question about whole folders of source code. A model on this machine reads the files under the question ' +
      'and answers with citations (file and lines) and what was and was not read. It takes seconds to minutes. Each ' +
      'question stands alone: earlier ones are not remembered.',
    inputSchema: inputSchema(offered),
    outputSchema: agentAnswerSchema,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  } as const;
}

export type ToolInput = z.infer<ReturnType<typeof inputSchema>>;

function inputSchema(offered: readonly string[]) {
  const tokens = z.int().min(1).max(mostTokens);
  return z.strictObject({
    question: z
      .string()
      .min(1)
      .max(longestQuestion)
      .describe('What is asked, in whole sentences; names of files and symbols help.'),
    folders: z
      .array(z.string().min(1))
      .min(1)
      .max(mostFolders)
      .optional()
      .describe(
        `Folders to read: absolute, or relative to ${offered[0]}. Allowed: ${offered.join(', ')} and what lies in them. ` +
          'All of these when left out. What .gitignore leaves out is never read.',
      ),
    readingLimit: z
      .union([tokens, z.literal('all')])
      .optional()
      .describe(
        'Tokens of source to read at most, the best-ranked first, or "all". When left out: ' +
          `${readPerKept} times tokenBudget, or what this machine reads in ${patienceSeconds} s where that is less, and at least ${leastDefaultReading}.`,
      ),
    tokenBudget: tokens
      .min(leastTokenBudget)
      .default(defaultTokenBudget)
      .describe('Tokens of what was read that the model keeps in its memory while it answers.'),
    maxAnswerTokens: tokens.default(defaultMaxAnswerTokens).describe('Longest answer, in tokens.'),
  });
}

export function answerResult(answer: CompletedAnswer, folders: readonly WorkspaceFolder[]): CallToolResult {
  const structuredContent = agentAnswer(answer, folders);
  return { content: [{ type: 'text', text: agentAnswerText(answer, folders) }], structuredContent };
}

export function failureResult(error: AskError): CallToolResult {
  return { content: [{ type: 'text', text: failureText(error) }], isError: true };
}

/** The protocol wants one number that only rises, whatever goes on. */
export interface OverallProgress {
  readonly progress: number;
  readonly total: number;
  readonly message: string;
}

export const waitingProgress: OverallProgress = {
  progress: 0,
  total: 100,
  message: 'Waiting for the question before',
};

/** @returns a function that gives undefined where an event brings no progress over those before it */
export function overallProgress(): (event: ProgressEvent) => OverallProgress | undefined {
  let latest = waitingProgress.progress;
  return (event) => {
    const [from, to] = shares[event.stage];
    const { done, total } = event;
    const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
    const progress = from + (to - from) * share;
    if (progress <= latest) return undefined;
    latest = progress;
    return { progress, total: waitingProgress.total, message: progressText(event) };
  };
}

/** Percent of the whole at which each stage begins and ends. What goes on beside another stage does not turn it back. */
const shares: { readonly [S in AnswerStage]: readonly [from: number, to: number] } = {
  finding: [1, 2],
  ranking: [2, 5],
  downloading: [5, 8],
  verifying: [8, 9],
  loading: [9, 10],
  reading: [10, 80],
  answering: [80, 100],
};
