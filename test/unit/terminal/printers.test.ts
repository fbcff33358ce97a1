import { describe, expect, test } from 'vitest';
import { errors } from '../../../extension/errors.ts';
import { recordOf } from '../conversations/recordOf.ts';
import type { AnswerEvent, CompletedAnswer } from '../../../extension/protocol/answerEvents.ts';
import { jsonPrinter } from '../../../extension/terminal/jsonPrinter.ts';
import { textPrinter, type Printer } from '../../../extension/terminal/printer.ts';

const answer: CompletedAnswer = {
  event: 'answer',
  text: 'It keeps the lines of src/keep.ts:3-9.',
  citations: [
    { workspace: 'shop', path: 'src/keep.ts', startLine: 3, endLine: 9, source: 'answer' },
    { workspace: 'shop', path: '説明 書.md', startLine: 4, endLine: 4, source: 'answer' },
  ],
  evidence: [
    { workspace: 'shop', path: 'src/keep.ts', startLine: 1, endLine: 12, weight: 0.5 },
    { workspace: 'shop', path: 'src/evict.ts', startLine: 7, endLine: 7, weight: 0.2 },
  ],
  thinEvidence: false,
  coverage: {
    filesFound: 1206,
    filesRead: 2,
    skipped: [
      { workspace: 'shop', path: '.env', reason: 'secret' },
      ...['a/', 'b/', 'c/', 'd/'].map((path) => ({ workspace: 'shop', path, reason: 'gitignore' as const })),
      { workspace: 'shop', path: 'big.ts', reason: 'tooLarge', detail: '3.1 MB, limit 1 MB' },
    ],
  },
  statistics: {
    documentTokens: 6032,
    keptTokens: 1021,
    tokenBudget: 1024,
    prefillTokens: 6300,
    prefillSeconds: 21,
    scoreSeconds: 1,
    evictSeconds: 0.25,
    generatedTokens: 50,
    generateSeconds: 2,
    kvCacheBytes: 36 * 2 ** 20,
    peakEngineBytes: 1.5 * 2 ** 30,
    reused: 'none',
  },
};

const events: readonly AnswerEvent[] = [
  { event: 'progress', stage: 'finding', done: 0 },
  { event: 'progress', stage: 'downloading', done: 49_181_216, total: 98_362_432 },
  { event: 'progress', stage: 'finding', done: 1206, total: 1206 },
  { event: 'progress', stage: 'loading', done: 0.5, total: 1 },
  { event: 'progress', stage: 'ranking', done: 603, total: 1206 },
  {
    event: 'plan',
    documentTokens: 6032,
    filesToRead: 2,
    everything: false,
    estimatedSeconds: 21.4,
    slow: false,
    stored: false,
    reading: recordOf('why?'),
  },
  {
    event: 'progress',
    stage: 'reading',
    done: 3016,
    total: 6032,
    tokensPerSecond: 282.3,
    secondsLeft: 10.7,
    path: 'src/keep.ts',
    filesDone: 1,
    filesTotal: 2,
  },
  { event: 'text', text: 'It keeps the lines ' },
  { event: 'progress', stage: 'answering', done: 4, total: 400, tokensPerSecond: 25, secondsLeft: 16 },
  { event: 'text', text: 'of src/keep.ts:3-9.' },
  answer,
];

const sections = `
Citations
  src/keep.ts:3-9
  説明 書.md:4

Evidence: the lines that the model kept in its memory
  ██████████  50 %  src/keep.ts:1-12
  ████░░░░░░  20 %  src/evict.ts:7

Coverage
  Read 2 of 1,206 files.
  Not read, left out by .gitignore: 4 (a/, b/, c/, ...)
  Not read, may hold a secret (key, credential, certificate or .env): 1 (.env)
  Not read, is larger than the size limit: 1 (big.ts)

Figures
  6,032 tokens of source read in 22 s (300 tokens/s), 1,021 kept (budget 1,024)
  of that 1.0 s for scoring and 0.3 s for eviction
  50 tokens of answer in 2.0 s (25 tokens/s)
  KV cache 36 MiB, engine at its largest 1.50 GiB
`;

describe('text', () => {
  test('without a terminal there is a line at each new stage, and no control character', () => {
    const { output, progress } = printText(events);
    expect(progress).toBe(
      [
        'Finding files ...',
        'Downloading the model ...',
        'Loading the model ...',
        'Ranking ...',
        'Going to read 6,032 tokens of 2 files (the best-ranked, up to the reading limit) in about 21 s.',
        'Reading ...',
        '',
      ].join('\n'),
    );
    expect(output).toBe(`It keeps the lines of src/keep.ts:3-9.\n${sections}`);
  });

  test('on a terminal one line is written over, the two things that go on at once side by side', () => {
    const { output, progress } = printText(events, { terminal: true, columns: 200 });
    expect(progress.split('\r\u001b[K')).toEqual([
      '',
      'Finding files  0',
      'Finding files  0 | Downloading the model  50 %',
      'Finding files  1,206 | Downloading the model  50 %',
      'Finding files  1,206 | Loading the model  50 %',
      'Ranking  603 of 1,206 files  50 % | Loading the model  50 %',
      'Going to read 6,032 tokens of 2 files (the best-ranked, up to the reading limit) in about 21 s.\n',
      'Reading  1 of 2 files  50 %  282 tokens/s  11 s left  src/keep.ts',
      '',
    ]);
    expect(output).toBe(`It keeps the lines of src/keep.ts:3-9.\n${sections}`);
  });

  test('the live line is renewed at most ten times a second', () => {
    const found = Array.from({ length: 1000 }, (_, done): AnswerEvent => ({
      event: 'progress',
      stage: 'finding',
      done,
    }));
    const { progress } = printText(found, { terminal: true, millisecondsPerEvent: 1 });
    expect(progress.split('\r\u001b[K').length - 1).toBe(10);
  });

  test('the live line never fills the last column', () => {
    const { progress } = printText(
      [{ event: 'progress', stage: 'reading', done: 1, total: 2, path: '説明書/説明書.md' }],
      { terminal: true, columns: 24 },
    );
    // "Reading  50 %  " takes 15 columns, and each of these letters two.
    expect(progress).toBe('\r\u001b[KReading  50 %  説明書/');
  });

  test('a terminal that was never given a size has 80 columns', () => {
    const { progress } = printText(
      [{ event: 'progress', stage: 'reading', done: 1, total: 2, path: 'x'.repeat(100) }],
      { terminal: true, columns: 0 },
    );
    expect(progress).toBe(`\r\u001b[KReading  50 %  ${'x'.repeat(79 - 15)}`);
  });

  test('a slow reading is announced with the way out', () => {
    const { progress } = printText([
      {
        event: 'plan',
        documentTokens: 21_000,
        filesToRead: 1,
        everything: true,
        estimatedSeconds: 75,
        slow: true,
        stored: false,
        reading: recordOf('why?'),
      },
    ]);
    expect(progress).toBe(
      'Going to read 21,000 tokens of 1 file (everything there is) in about 1 min 15 s.\n' +
        'Ctrl-C stops; a smaller --reading-limit is faster.\n',
    );
  });

  const hostile = '\u001b]0;title\u0007\u001b[2Jred\u009b31m\u202e\r\u0000';
  test('control characters of model and file names do not reach the terminal', () => {
    const { output, progress } = printText(
      [
        { event: 'progress', stage: 'reading', done: 1, total: 2, path: `a${hostile}\nb` },
        { event: 'text', text: `one ${hostile}` },
        {
          ...answer,
          text: `one ${hostile}`,
          citations: [
            { workspace: 'shop', path: `a${hostile}\nb`, startLine: 1, endLine: 1, source: 'answer' },
          ],
          coverage: {
            filesFound: 1,
            filesRead: 0,
            skipped: [{ workspace: 'shop', path: `c${hostile}`, reason: 'binary' }],
          },
        },
      ],
      { terminal: true },
    );
    expect(output + progress.replaceAll('\r\u001b[K', '')).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/,
    );
    expect(output).toContain('\n  a\ufffd');
  });

  test.each<[string, AnswerEvent[], string]>([
    ['nothing streamed', [answer], 'It keeps the lines of src/keep.ts:3-9.\n\nCitations'],
    [
      'more than was streamed',
      [{ event: 'text', text: 'It keeps' }, answer],
      'It keeps the lines of src/keep.ts:3-9.\n\nCitations',
    ],
    [
      'a citation corrected after streaming',
      [{ event: 'text', text: 'It keeps src/keep.ts:900.' }, answer],
      'It keeps src/keep.ts:900.\n\nWith its citations corrected:\n\nIt keeps the lines of src/keep.ts:3-9.\n\nCitations',
    ],
    [
      'a line feed at the end',
      [{ event: 'text', text: `${answer.text}\n` }, answer],
      'It keeps the lines of src/keep.ts:3-9.\n\nCitations',
    ],
  ])('the whole answer is printed: %s', (_, list, expected) => {
    expect(printText(list).output.slice(0, expected.length)).toBe(expected);
  });

  test('citations from the evidence and thin evidence are said', () => {
    const { output } = printText([
      {
        ...answer,
        thinEvidence: true,
        citations: [{ workspace: 'shop', path: 'a.ts', startLine: 1, endLine: 2, source: 'evidence' }],
      },
    ]);
    expect(output).toContain(
      'Citations\n  a.ts:1-2\n  (taken from the evidence, since the answer itself names no lines)\n' +
        '  (little was found: take this answer with care)\n',
    );
  });

  test('colours only on a terminal that wants them', () => {
    const headings = (options: TextOptions) =>
      printText([answer], options).output.includes('\u001b[1mCitations');
    expect([
      headings({ terminal: true, colours: true }),
      headings({ terminal: true, colours: false }),
      headings({ terminal: false, colours: true }),
    ]).toEqual([true, false, false]);
  });

  test('with several folders each path says which', () => {
    const { output } = printText([answer], { severalFolders: true });
    expect(output).toContain('  shop/src/keep.ts:3-9\n');
    expect(output).toContain('(shop/a/, shop/b/, shop/c/, ...)');
  });

  test('an error is two sentences, below what was streamed', () => {
    const { output, progress } = printText([{ event: 'text', text: 'It ke' }], {}, (printer) => {
      printer.printError(errors.engineStopped('signal SIGKILL'));
    });
    expect(output).toBe('It ke\n');
    expect(progress).toBe(
      'The engine process stopped (signal SIGKILL).\n' +
        'Ask again: the engine is started anew. If it stops again, choose a smaller model.\n',
    );
  });
});

describe('JSON', () => {
  test('one object a line, the plan as the first progress of the reading', () => {
    const lines = printJson(events);
    expect(lines.slice(0, -1)).toEqual([
      ...events.slice(0, 5),
      {
        event: 'progress',
        stage: 'reading',
        done: 0,
        total: 6032,
        secondsLeft: 21.4,
        filesDone: 0,
        filesTotal: 2,
      },
      ...events.slice(6, -1),
    ]);
  });

  test('the answer has paths relative to their workspace, and reasons without details', () => {
    expect(printJson(events).at(-1)).toEqual({
      event: 'answer',
      text: answer.text,
      citations: [
        { path: 'src/keep.ts', startLine: 3, endLine: 9, source: 'answer' },
        { path: '説明 書.md', startLine: 4, endLine: 4, source: 'answer' },
      ],
      evidence: [
        { path: 'src/keep.ts', startLine: 1, endLine: 12, weight: 0.5 },
        { path: 'src/evict.ts', startLine: 7, endLine: 7, weight: 0.2 },
      ],
      thinEvidence: false,
      coverage: {
        filesFound: 1206,
        filesRead: 2,
        skipped: [
          { path: '.env', reason: 'secret' },
          ...['a/', 'b/', 'c/', 'd/'].map((path) => ({ path, reason: 'gitignore' })),
          { path: 'big.ts', reason: 'tooLarge' },
        ],
      },
      statistics: answer.statistics,
    });
  });

  test('with several folders each path has its workspace', () => {
    expect(printJson([answer], true).at(-1)).toMatchObject({
      citations: [{ workspace: 'shop' }, { workspace: 'shop' }],
      evidence: [{ workspace: 'shop' }, { workspace: 'shop' }],
      coverage: { skipped: [{ workspace: 'shop' }, {}, {}, {}, {}, {}] },
    });
  });

  test('what a terminal would obey is escaped, and the value stays what it was', () => {
    const text = 'a\u009b31m\u202e\u007f\u2028\u001bz';
    let printed = '';
    jsonPrinter({ write: (part) => (printed += part) }, false).print({ event: 'text', text });
    expect(printed).toBe('{"event":"text","text":"a\\u009b31m\\u202e\\u007f\\u2028\\u001bz"}\n');
    expect(JSON.parse(printed)).toEqual({ event: 'text', text });
  });

  test('an error has reason, message and remedy', () => {
    const lines = printJson([], false, (printer) => {
      printer.printError(errors.cancelled());
    });
    expect(lines).toEqual([
      {
        event: 'error',
        reason: 'cancelled',
        message: 'The question was cancelled',
        remedy: 'Ask again when you like.',
      },
    ]);
  });
});

interface TextOptions {
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly colours?: boolean;
  readonly severalFolders?: boolean;
  readonly millisecondsPerEvent?: number;
}

function printText(
  list: readonly AnswerEvent[],
  options: TextOptions = {},
  last?: (printer: Printer) => void,
): { output: string; progress: string } {
  const written = { output: '', progress: '' };
  let milliseconds = 0;
  const stream = (name: 'output' | 'progress') => ({
    write: (text: string) => (written[name] += text),
    isTTY: options.terminal ?? false,
    columns: options.columns ?? 80,
  });
  const printer = textPrinter({
    output: stream('output'),
    progress: stream('progress'),
    colours: options.colours ?? false,
    severalFolders: options.severalFolders ?? false,
    now: () => milliseconds,
  });
  for (const event of list) {
    printer.print(event);
    milliseconds += options.millisecondsPerEvent ?? 1000;
  }
  last?.(printer);
  return written;
}

function printJson(
  list: readonly AnswerEvent[],
  severalFolders = false,
  last?: (printer: Printer) => void,
): unknown[] {
  let written = '';
  const printer = jsonPrinter({ write: (text) => (written += text) }, severalFolders);
  for (const event of list) printer.print(event);
  last?.(printer);
  expect(written).toMatch(/\n$/);
  return written
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
