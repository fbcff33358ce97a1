/** The participant of VS Code's chat: a question there is answered by the model of this machine, with its places as links. */
import * as vscode from 'vscode';
import * as z from 'zod';
import { commands } from '../contributions.ts';
import { readingRecordSchema } from '../conversations/storedConversation.ts';
import { uriOfPlace } from '../editor/places.ts';
import { placeOfUri } from '../editor/workspaceFolders.ts';
import type { AnswerEvent, CompletedAnswer } from '../protocol/answerEvents.ts';
import type { Pin, ReadingRecord, RemedyAction } from '../protocol/conversation.ts';
import type { Citation, LineRange, Turn } from '../protocol/nouns.ts';
import type { AskWindow } from '../views/askWindow.ts';
import { describeFailure } from '../views/describeFailure.ts';
import { abortSignalOf } from './abortSignal.ts';
import { progressSentence } from './progressSentence.ts';
import { untrustedLine, untrustedMarkdown, type MarkdownWriter } from './untrustedMarkdown.ts';

/** What a result keeps for the questions after it. VS Code stores it, so that it is checked when it comes back. */
interface Metadata {
  readonly answer: string;
  readonly citedPath?: string;
  readonly reading?: ReadingRecord;
}
const metadataSchema = z.object({
  answer: z.string(),
  citedPath: z.string().exactOptional(),
  reading: readingRecordSchema.exactOptional(),
}) satisfies z.ZodType<Metadata>;

/** @param ask throws as `AskWindow.ask` does; what it throws becomes a message with its remedy */
export function createChatHandler(
  ask: AskWindow['ask'],
  onError: (error: unknown) => void,
): vscode.ChatRequestHandler {
  return async (request, context, stream, token) => {
    const signal = abortSignalOf(token);
    const { turns, reading } = earlier(context.history);
    try {
      const events = ask(
        {
          ...{ question: request.prompt, pins: pinsOf(request.references), history: turns, answerSoFar: '' },
          ...(reading === undefined ? {} : { continueOn: reading }),
        },
        signal,
      );
      return { metadata: await shown(events, reading, stream) };
    } catch (error) {
      if (signal.aborted) return {};
      onError(error);
      const { message, remedy, actions } = describeFailure(error);
      for (const { action, label } of actions) {
        const command = commandOf[action];
        if (command !== undefined) stream.button({ command, title: label });
      }
      return { errorDetails: { message: [message, remedy].map(untrustedLine).join('\n\n') } };
    }
  };
}

/** Where an answer may lead. */
export const followupProvider: vscode.ChatFollowupProvider = {
  provideFollowups(result) {
    const { data } = metadataSchema.safeParse(result.metadata);
    if (data === undefined) return [];
    const { citedPath } = data;
    const prompts = [
      ...(citedPath === undefined ? [] : [vscode.l10n.t('What depends on {0}?', citedPath)]),
      vscode.l10n.t('Which tests cover this?'),
    ];
    return prompts.map((prompt) => ({ prompt }));
  },
};

async function shown(
  events: AsyncIterable<AnswerEvent>,
  earlierReading: ReadingRecord | undefined,
  stream: vscode.ChatResponseStream,
): Promise<Metadata> {
  const writer = untrustedMarkdown((markdown) => stream.markdown(untrusted(markdown)));
  let reading = earlierReading;
  let streamed = '';
  let said = '';
  for await (const event of events) {
    if (event.event === 'progress') {
      const sentence = progressSentence(event);
      if (sentence !== undefined && sentence !== said) stream.progress(sentence);
      said = sentence ?? said;
    } else if (event.event === 'plan') {
      reading = event.reading;
    } else if (event.event === 'text') {
      streamed += event.text;
      writer.write(event.text);
    } else if (event.event === 'answer') {
      await showEnd(event, streamed, writer, stream);
      const [first] = event.citations;
      return {
        answer: event.text,
        ...(first === undefined ? {} : { citedPath: first.path }),
        ...(reading === undefined ? {} : { reading }),
      };
    }
  }
  throw new Error('The question ended without an answer.');
}

/** The rest of the text, its places, and what is to be known of it. */
async function showEnd(
  answer: CompletedAnswer,
  streamed: string,
  writer: MarkdownWriter,
  stream: vscode.ChatResponseStream,
): Promise<void> {
  if (answer.text.startsWith(streamed)) writer.write(answer.text.slice(streamed.length));
  writer.end();
  const places = await placesOf(answer.citations);
  for (const { location } of places) stream.reference(location);
  if (places.length > 0) {
    stream.markdown(untrusted(`\n\n${vscode.l10n.t('Sources:')} `));
    for (const [index, { location, title }] of places.entries()) {
      if (index > 0) stream.markdown(untrusted(', '));
      stream.anchor(location, title);
    }
  }
  const { filesRead, filesFound } = answer.coverage;
  const notes = [
    ...(answer.citations.some(({ source }) => source === 'evidence')
      ? [vscode.l10n.t('The answer itself names no lines; these are what it rests on.')]
      : []),
    ...(answer.thinEvidence ? [vscode.l10n.t('Little was found: take this answer with care.')] : []),
    vscode.l10n.t('Read {0} of {1} files.', filesRead, filesFound),
  ];
  stream.markdown(untrusted(`\n\n${notes.join(' ')}`));
}

interface ShownPlace {
  readonly location: vscode.Location;
  /** File and lines. */
  readonly title: string;
}

/** Those that exist in the workspace, each once. */
async function placesOf(citations: readonly Citation[]): Promise<ShownPlace[]> {
  const places = new Map<string, ShownPlace>();
  for (const citation of citations) {
    const uri = await uriOfPlace(citation);
    if (uri === undefined) continue;
    const title = `${citation.path.slice(citation.path.lastIndexOf('/') + 1)}:${linesOf(citation)}`;
    const { startLine, endLine } = citation;
    const range = new vscode.Range(startLine - 1, 0, endLine, 0);
    places.set(`${uri.toString()}#${linesOf(citation)}`, {
      location: new vscode.Location(uri, range),
      title,
    });
  }
  return [...places.values()];
}

function linesOf({ startLine, endLine }: LineRange): string {
  return startLine === endLine ? `${startLine}` : `${startLine}-${endLine}`;
}

/** The questions with answers of this participant, and what was read for the last of them. */
function earlier(history: vscode.ChatContext['history']): {
  readonly turns: readonly Turn[];
  readonly reading: ReadingRecord | undefined;
} {
  const turns: Turn[] = [];
  let question: string | undefined;
  let reading: ReadingRecord | undefined;
  for (const turn of history) {
    if ('prompt' in turn) {
      question = turn.prompt;
      continue;
    }
    const { data } = metadataSchema.safeParse(turn.result.metadata);
    if (question === undefined || data === undefined) continue;
    turns.push({ question, answer: data.answer });
    reading = data.reading;
    question = undefined;
  }
  return { turns, reading };
}

/** What the user attached: files and lines of the workspace. */
function pinsOf(references: readonly vscode.ChatPromptReference[]): Pin[] {
  return references.flatMap(({ value }): Pin[] => {
    const uri = value instanceof vscode.Location ? value.uri : value;
    const place = uri instanceof vscode.Uri ? placeOfUri(uri) : undefined;
    if (place === undefined) return [];
    if (!(value instanceof vscode.Location)) return [{ kind: 'file', ...place }];
    const { start, end } = value.range;
    return [{ kind: 'lines', ...place, startLine: start.line + 1, endLine: end.line + 1 }];
  });
}

function untrusted(text: string): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(text);
  markdown.isTrusted = false;
  markdown.supportHtml = false;
  return markdown;
}

/** What can be done from the chat about a failure; to ask again one asks again. */
const commandOf: { readonly [A in RemedyAction]?: string } = {
  getModel: commands.getModel,
  getCuda: commands.getCuda,
  setHubToken: commands.setHubToken,
  chooseModel: commands.chooseModel,
  showFiles: commands.showFiles,
  openSettings: commands.openSettings,
  showLog: commands.showLog,
  openFolder: 'workbench.action.files.openFolder',
  manageTrust: 'workbench.trust.manage',
};
