/** An answer for a program: one JSON object a line on standard output, the last of them an answer or an error. */
import type { AnswerEvent, CompletedAnswer } from '../protocol/answerEvents.ts';
import type { LineRange } from '../protocol/nouns.ts';
import type { OutputStream, Printer } from './printer.ts';

/**
 * Events are `progress`, `notice`, `text`, `answer` and `error`; the plan is told as the reading's first progress.
 * A path is relative to its workspace; `workspace` is added where several were given, since the path alone
 * would not say which file is meant.
 */
export function jsonPrinter(output: OutputStream, severalFolders: boolean): Printer {
  return {
    print(event) {
      // Each question of a terminal is a conversation of its own, which goes on with nothing.
      if (event.event !== 'readAgain') write(jsonEvent(event, severalFolders));
    },
    printError(error) {
      write({ event: 'error', reason: error.reason, message: error.message, remedy: error.remedy });
    },
  };

  function write(value: object): void {
    output.write(`${escaped(JSON.stringify(value))}\n`);
  }
}

function jsonEvent(event: Exclude<AnswerEvent, { event: 'readAgain' }>, severalFolders: boolean): object {
  switch (event.event) {
    case 'progress':
    case 'notice':
    case 'text':
      return event;
    case 'plan':
      return {
        event: 'progress',
        stage: 'reading',
        done: 0,
        total: event.documentTokens,
        secondsLeft: event.estimatedSeconds,
        filesDone: 0,
        filesTotal: event.filesToRead,
      };
    case 'answer':
      return jsonAnswer(event, severalFolders);
  }
}

function jsonAnswer(answer: CompletedAnswer, severalFolders: boolean): object {
  const inFolder = ({ workspace }: { workspace: string }) => (severalFolders ? { workspace } : {});
  const lines = (range: LineRange) => ({
    ...inFolder(range),
    path: range.path,
    startLine: range.startLine,
    endLine: range.endLine,
  });
  return {
    event: 'answer',
    text: answer.text,
    citations: answer.citations.map((citation) => ({ ...lines(citation), source: citation.source })),
    evidence: answer.evidence.map((range) => ({ ...lines(range), weight: range.weight })),
    thinEvidence: answer.thinEvidence,
    coverage: {
      filesFound: answer.coverage.filesFound,
      filesRead: answer.coverage.filesRead,
      skipped: answer.coverage.skipped.map((file) => ({
        ...inFolder(file),
        path: file.path,
        reason: file.reason,
      })),
    },
    statistics: answer.statistics,
  };
}

/** JSON escapes the first 32 characters by itself; these others are harmless to a parser and not to a terminal. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
