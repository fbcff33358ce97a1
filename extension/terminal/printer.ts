/** An answer for a person: stages on standard error while it is made, the answer and what it rests on on standard output. */
import type { AskError } from '../errors.ts';
import type {
  AnswerEvent,
  AnswerStage,
  CompletedAnswer,
  PlanEvent,
  ProgressEvent,
} from '../protocol/answerEvents.ts';
import { answerSections } from './answerSections.ts';
import { noticeSentence } from './noticeSentence.ts';
import { count, megabytes, percent, plural, seconds } from './numbers.ts';
import { fitColumns, safeName, safeText } from './safeText.ts';

export interface Printer {
  print(event: AnswerEvent): void;
  printError(error: AskError): void;
}

/** What a printer needs of `process.stdout` and `process.stderr`. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TextPrinterOptions {
  readonly output: OutputStream;
  readonly progress: OutputStream;
  /** False under NO_COLOR; colours also need a terminal. */
  readonly colours: boolean;
  /** With several workspace folders a path alone may mean two files, so each is printed with its folder. */
  readonly severalFolders: boolean;
  /** Milliseconds, rising. */
  readonly now: () => number;
}

const liveLineEvery = 100; // ms
const defaultColumns = 80;
const eraseLine = '\r\u001b[K';

export function textPrinter(options: TextPrinterOptions): Printer {
  const { output, progress } = options;
  const live = progress.isTTY === true ? liveLine(progress, options.now) : undefined;
  const announced = new Set<AnswerStage>();
  let streamed = '';
  /** As long as the model arrives. */
  let arriving: ProgressEvent | undefined;

  return {
    print(event) {
      switch (event.event) {
        case 'progress':
          // Text that is being streamed is its own sign of life, and a live line would write over it.
          if (streamed !== '') return;
          if (event.stage === 'downloading') {
            if (event.transfer?.source !== arriving?.transfer?.source) {
              live?.erase();
              progress.write(`${downloadSentence(event)}\n`);
              announced.add('downloading');
            }
            arriving = event;
          } else if (tracks[event.stage] === 'model') arriving = undefined;
          if (live) live.show(event);
          else if (!announced.has(event.stage)) progress.write(`${stageNames[event.stage]} ...\n`);
          announced.add(event.stage);
          return;
        case 'plan':
          live?.erase();
          progress.write(`${planSentence(event)}\n`);
          return;
        case 'notice':
          live?.erase();
          progress.write(`${noticeSentence(event.notice)}\n`);
          return;
        case 'readAgain':
          // Each question of a terminal is a conversation of its own, which goes on with nothing.
          return;
        case 'text': {
          live?.erase();
          const text = safeText(event.text);
          output.write(text);
          streamed += text;
          return;
        }
        case 'answer':
          live?.erase();
          output.write(restOfText(event, streamed));
          output.write(answerSections(event, { heading, severalFolders: options.severalFolders }));
          return;
      }
    },
    printError(error) {
      live?.erase();
      if (streamed !== '' && !streamed.endsWith('\n')) output.write('\n');
      progress.write(`${failureText(error)}\n`);
      if (error.reason === 'cancelled' && arriving?.transfer?.resumable === true) {
        progress.write(
          `${megabytes(arriving.done)} of the model are kept: the next call goes on from there.\n`,
        );
      }
    },
  };

  function heading(text: string): string {
    return options.colours && output.isTTY === true ? `\u001b[1m${text}\u001b[22m` : text;
  }
}

/** One line that is written over and over. Two stages that go on at the same time stand side by side. */
function liveLine(stream: OutputStream, now: () => number) {
  const latest = new Map<'workspace' | 'model' | 'engine', ProgressEvent>();
  let shown = false;
  let nextAt = -Infinity;

  return {
    show(event: ProgressEvent): void {
      const track = tracks[event.stage];
      const changed = latest.get(track)?.stage !== event.stage;
      if (track === 'engine') latest.clear();
      latest.set(track, event);
      if (!changed && now() < nextAt) return;
      nextAt = now() + liveLineEvery;
      const line = [...latest.values()].map(progressText).join(' | ');
      stream.write(eraseLine + fitColumns(line, columnsOf(stream) - 1));
      shown = true;
    },
    erase(): void {
      if (shown) stream.write(eraseLine);
      shown = false;
      nextAt = -Infinity;
    },
  };
}

/** A terminal that was never given a size says 0. */
function columnsOf({ columns }: OutputStream): number {
  return columns === undefined || columns === 0 ? defaultColumns : columns;
}

const tracks = {
  finding: 'workspace',
  ranking: 'workspace',
  downloading: 'model',
  verifying: 'model',
  loading: 'model',
  reading: 'engine',
  answering: 'engine',
} as const satisfies Record<AnswerStage, string>;

const stageNames: { readonly [S in AnswerStage]: string } = {
  finding: 'Finding files',
  ranking: 'Ranking',
  downloading: 'Downloading the model',
  verifying: 'Verifying the model',
  loading: 'Loading the model',
  reading: 'Reading',
  answering: 'Answering',
};

/** One line without its end: the stage, how far it is, how fast, and what is read now. */
export function progressText(event: ProgressEvent): string {
  const words = [stageNames[event.stage], ...filesText(event)];
  if (event.stage !== 'finding' && event.total !== undefined && event.total > 0) {
    words.push(percent(event.done / event.total));
  }
  if (event.tokensPerSecond !== undefined && event.tokensPerSecond > 0) {
    words.push(`${count(Math.round(event.tokensPerSecond))} tokens/s`);
  }
  if (event.stage === 'downloading' && event.transfer !== undefined) {
    words.push(`${count(event.done / 1e6)} of ${megabytes(event.total ?? 0)}`);
    const { bytesPerSecond } = event.transfer;
    if (bytesPerSecond !== undefined) words.push(`${(bytesPerSecond / 1e6).toFixed(1)} MB/s`);
  }
  if (event.secondsLeft !== undefined) words.push(`${seconds(event.secondsLeft)} left`);
  if (event.path !== undefined) words.push(safeName(event.path));
  return words.join('  ');
}

/** The size first, and what stopping means. */
function downloadSentence({ done, total = 0, transfer }: ProgressEvent): string {
  if (transfer === undefined) return `${stageNames.downloading} ...`;
  const begun = done > 0 ? `, of which ${megabytes(done)} are here` : '';
  const stop = transfer.resumable
    ? 'Ctrl-C pauses: the next call goes on from there.'
    : 'Ctrl-C stops it, and the next call begins anew.';
  return `${stageNames.downloading}: ${megabytes(total)}${begun}, from ${safeName(transfer.source)}. ${stop}`;
}

function filesText({ stage, done, total, filesDone, filesTotal }: ProgressEvent): string[] {
  if (stage === 'finding') return [count(done)];
  const [part, whole] = stage === 'ranking' ? [done, total] : [filesDone ?? 0, filesTotal];
  return whole === undefined ? [] : [`${count(part)} of ${plural(whole, 'file')}`];
}

function planSentence(plan: PlanEvent): string {
  const what = `${plural(plan.documentTokens, 'token')} of ${plural(plan.filesToRead, 'file')}`;
  const which = plan.everything ? 'everything there is' : 'the best-ranked, up to the reading limit';
  const slow = plan.slow ? '\nCtrl-C stops; a smaller --reading-limit is faster.' : '';
  if (plan.stored) return `${what} (${which}) were read before and have not changed.`;
  return `Going to read ${what} (${which}) in about ${seconds(plan.estimatedSeconds)}.${slow}`;
}

/** What of the final text was not streamed. Where a correction changed what was streamed, all of it again. */
function restOfText(answer: CompletedAnswer, streamed: string): string {
  const text = safeText(answer.text).trimEnd();
  const before = streamed.trimEnd();
  const newline = streamed.endsWith('\n') ? '' : '\n';
  if (text === before) return newline;
  if (streamed === '' || text.startsWith(streamed)) return `${text.slice(streamed.length)}\n`;
  return `${newline}\nWith its citations corrected:\n\n${text}\n`;
}

/** What happened and what to change, a line each. */
export function failureText(error: AskError): string {
  return `${sentence(safeText(error.message))}\n${safeText(error.remedy)}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
