/** The tool that agents in VS Code call: one question, with an answer that they can check. */
import * as vscode from 'vscode';
import { workspaceFolders } from '../editor/workspaceFolders.ts';
import { AskError, errors } from '../errors.ts';
import type { CompletedAnswer } from '../protocol/answerEvents.ts';
import { agentAnswer, agentAnswerText } from '../terminal/agentAnswer.ts';
import { safeText } from '../terminal/safeText.ts';
import type { AskWindow } from '../views/askWindow.ts';
import { abortSignalOf } from './abortSignal.ts';
import { pinOfPath } from './namedPaths.ts';
import { parseToolInput } from './request.ts';
import { untrustedLine } from './untrustedMarkdown.ts';

/** Characters of the question that the line about the running tool shows. */
const shownQuestion = 120;

/** The input is checked again: VS Code holds it to the schema only for the models that it knows. */
export function createTool(ask: AskWindow['ask']): vscode.LanguageModelTool<unknown> {
  return {
    prepareInvocation({ input }) {
      const text = safeText(parseToolInput(input).question).replace(/\s+/gu, ' ').trim();
      const shown = text.length > shownQuestion ? `${text.slice(0, shownQuestion)}…` : text;
      const message = vscode.l10n.t('Reading the workspace to answer "{0}"', untrustedLine(shown));
      return { invocationMessage: new vscode.MarkdownString(message) };
    },
    async invoke({ input }, token) {
      try {
        const { paths = [], ...asked } = parseToolInput(input);
        const folders = workspaceFolders();
        const pins = await Promise.all(paths.map((path) => pinOfPath(path, folders)));
        const { question, readingLimit, maxAnswerTokens } = asked;
        const events = ask(
          {
            ...{ question, pins, history: [], answerSoFar: '' },
            ...(readingLimit === undefined ? {} : { readingLimit }),
            ...(maxAnswerTokens === undefined ? {} : { maxAnswerTokens }),
          },
          abortSignalOf(token),
        );
        let answer: CompletedAnswer | undefined;
        for await (const event of events) if (event.event === 'answer') answer = event;
        if (answer === undefined) throw errors.internal('the question ended without an answer', undefined);
        return new vscode.LanguageModelToolResult([
          new vscode.LanguageModelTextPart(agentAnswerText(answer, folders)),
          vscode.LanguageModelDataPart.json(agentAnswer(answer, folders)),
        ]);
      } catch (error) {
        if (token.isCancellationRequested) throw new vscode.CancellationError();
        throw error instanceof AskError
          ? new Error(`${error.message}. ${error.remedy}`, { cause: error })
          : error;
      }
    },
  };
}
