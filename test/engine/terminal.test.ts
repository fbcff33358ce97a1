/** The `ask` command as it is shipped: the bundles, the default model and a small workspace of real sources. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveModel } from '../../extension/models/findModel.ts';
import type { ProgressEvent } from '../../extension/protocol/answerEvents.ts';
import type { Statistics } from '../../extension/protocol/nouns.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { askBundle, enginesLeft, runAsk, runCommand, type AskEnd, type AskRun } from './askCommand.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const question = 'Which exit code does the terminal give when the question was cancelled?';
/** Each run reads for itself, and leaves nothing in the user's cache folder. */
const short = [
  '--reuse',
  'never',
  '--device',
  'cpu',
  '--reading-limit',
  '1500',
  '--token-budget',
  '256',
  '--max-answer-tokens',
  '16',
];
/** Not at its end before something that happens to it while it is being written. */
const longAnswer = [...short.slice(0, -1), '400'];
/** From a signal to the end of the command, on a machine that has other work too. */
const endsWithinMs = 5_000;

let workspace: string;

beforeAll(async () => {
  execFileSync(process.execPath, ['esbuild.mjs', '--quiet'], { cwd: repository });
  await resolveModel(undefined, { signal: new AbortController().signal });
  workspace = await mkdtemp(join(tmpdir(), 'ask 質問 '));
  const sources = {
    'extension/errors.ts': 'src/errors.ts',
    'extension/terminal/main.ts': 'src/the terminal/main.ts',
    'extension/terminal/arguments.ts': 'src/the terminal/arguments.ts',
    'extension/terminal/numbers.ts': 'src/числа/числа.ts',
    'extension/protocol/nouns.ts': 'プロトコル/名詞.ts',
  };
  for (const [from, to] of Object.entries(sources)) {
    await mkdir(dirname(join(workspace, to)), { recursive: true });
    await copyFile(join(repository, from), join(workspace, to));
  }
  await writeFile(join(workspace, '.gitignore'), 'build output/\n');
  await mkdir(join(workspace, 'build output'));
  await writeFile(join(workspace, 'build output', 'main.js'), 'ignored();\n');
  await writeFile(join(workspace, '.env'), 'TOKEN=abc\n');
  await mkdir(join(workspace, 'only secrets'));
  await writeFile(join(workspace, 'only secrets', 'id_rsa'), 'not for anyone\n');
  await symlink(join(tmpdir(), 'nowhere'), join(workspace, 'dangling'));
});
afterAll(() => rm(workspace, { recursive: true }));

describe('an answer', () => {
  test('as JSON has every field that is promised, about lines that exist', async () => {
    const run = runAsk(['--json', ...short, question], { cwd: workspace });
    const end = await run.ended;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    const events = jsonLines(end);
    const answer = events.at(-1) as JsonAnswer;

    expect(events.slice(0, -1).every(({ event }) => event === 'progress' || event === 'text')).toBe(true);
    expect(stagesOf(events)).toEqual(expect.arrayContaining(['ranking', 'loading', 'reading', 'answering']));
    expect(Object.keys(answer)).toEqual([
      'event',
      'text',
      'citations',
      'evidence',
      'thinEvidence',
      'coverage',
      'statistics',
    ]);
    expect(answer.event).toBe('answer');
    expect(answer.text).not.toBe('');

    expect(answer.evidence.length).toBeGreaterThan(0);
    for (const range of [...answer.citations, ...answer.evidence]) {
      const lines = (await readFile(join(workspace, range.path), 'utf8')).trimEnd().split('\n').length;
      expect(range.startLine).toBeGreaterThanOrEqual(1);
      expect(range.endLine).toBeGreaterThanOrEqual(range.startLine);
      expect(range.endLine).toBeLessThanOrEqual(lines);
    }
    for (const { source } of answer.citations) expect(['answer', 'evidence']).toContain(source);
    const weights = answer.evidence.map(({ weight }) => weight);
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeLessThanOrEqual(1.000001);

    const { filesFound, filesRead, skipped } = answer.coverage;
    expect(filesFound).toBe(filesRead + skipped.length);
    expect(skipped).toEqual(
      expect.arrayContaining([
        { path: '.env', reason: 'secret' },
        { path: 'build output/', reason: 'gitignore' },
        { path: 'dangling', reason: 'symlink' },
      ]),
    );
    expect(Object.keys(answer.statistics)).toEqual([
      'documentTokens',
      'keptTokens',
      'tokenBudget',
      'prefillTokens',
      'prefillSeconds',
      'scoreSeconds',
      'evictSeconds',
      'generatedTokens',
      'generateSeconds',
      'kvCacheBytes',
      'peakEngineBytes',
      'reused',
    ]);
    expect(answer.statistics).toMatchObject({ tokenBudget: 256, reused: 'none' });
    expect(answer.statistics.documentTokens).toBeGreaterThan(500);
    expect(answer.statistics.documentTokens).toBeLessThanOrEqual(1500);
    expect(answer.statistics.keptTokens).toBeLessThanOrEqual(256);
    expect(answer.statistics.generatedTokens).toBeLessThanOrEqual(16);
    expect(await run.engines()).toEqual([]);
  });

  test('as text in a pipe has the sections and no control character', async () => {
    const end = await runAsk(
      ['--workspace', workspace, '--workspace', join(repository, 'extension/protocol'), ...short, question],
      {
        cwd: '/',
      },
    ).ended;
    expect(end.code).toBe(0);
    for (const section of ['Citations', 'Evidence', 'Coverage', 'Figures'])
      expect(end.stdout).toContain(`\n${section}`);
    expect(end.stderr).toMatch(
      /Loading the model \.\.\.\n(?:.*\n)*Going to read [\d,]+ tokens of \d+ files.*\nReading \.\.\.\n(?:Answering \.\.\.\n)?$/,
    );
    expect(end.stdout + end.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });

  test('the second time comes without reading, and a stopped reading goes on', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'ask-cache-'));
    const env = { ASK_CODEBASE_CACHE: cache };
    const command = ['--json', ...short.slice(2), '--model', await smolLm2Path(), question];
    try {
      const stopped = runAsk(command, {
        cwd: workspace,
        env,
        onLine: (line, run) => {
          const progress = JSON.parse(line) as { stage?: string; done: number };
          if (progress.stage === 'reading' && progress.done > 600) run.signalGroup('SIGINT');
        },
      });
      expect((await stopped.ended).code).toBe(130);
      const firstRead = (end: AskEnd): number | undefined =>
        jsonLines(end).flatMap((event) =>
          event.event === 'progress' && event.stage === 'reading' && event.done > 0 ? [event.done] : [],
        )[0];
      // On a busy machine the engine may be ended before it has written how far it came.
      const files = await readdir(join(cache, 'readings'), { recursive: true });
      const isKept = files.some((name) => name.endsWith('.part'));
      const finished = await runAsk(command, { cwd: workspace, env }).ended;
      expect(finished.code).toBe(0);
      expect(firstRead(finished)! > 512).toBe(isKept);
      const again = await runAsk(command, { cwd: workspace, env }).ended;
      const answers = [finished, again].map((end) => jsonLines(end).at(-1) as JsonAnswer);
      expect(answers.map(({ statistics }) => statistics.reused)).toEqual(['none', 'state']);
      expect(answers[1]!.evidence).toEqual(answers[0]!.evidence);
      expect(firstRead(again)).toBeUndefined();
      const never = await runAsk([...command, '--reuse', 'never'], { cwd: workspace, env }).ended;
      expect((jsonLines(never).at(-1) as JsonAnswer).statistics.reused).toBe('none');
    } finally {
      await rm(cache, { recursive: true });
    }
  });

  test('on a terminal has a live line; NO_COLOR is honoured', async () => {
    const command = [process.execPath, askBundle, ...short, question].map(quoted).join(' ');
    const onTerminal = (env: Record<string, string>) =>
      runCommand(['script', '-qefc', command, '/dev/null'], { cwd: workspace, env }).ended;
    const end = await onTerminal({});
    expect(end.code).toBe(0);
    expect(end.stdout).toMatch(
      /\r\u001b\[KReading {2}\d+ of \d+ files {2}\d+ % {2}\d{1,3}(?:,\d{3})* tokens\/s {2}[\d.]+ s left/,
    );
    expect(end.stdout).toContain('\u001b[1mCoverage');
    expect((await onTerminal({ NO_COLOR: '1' })).stdout).not.toContain('\u001b[1m');
  });

  test('needs no network at all', async () => {
    const end = await runAsk(['--json', ...short, question], { cwd: workspace, under: ['unshare', '-rn'] })
      .ended;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(end).at(-1)?.event).toBe('answer');
  });
});

describe('bad input exits with 2', () => {
  test.each<[string, string[], string]>([
    ['no question', [], 'badArgument'],
    ['unknown option', ['--bogus', question], 'badArgument'],
    ['no such folder', ['--workspace', 'no such folder', question], 'workspaceNotFound'],
    ['nothing to read', ['--workspace', 'only secrets', question], 'nothingToRead'],
    ['no such model', ['--model', 'no such.gguf', question], 'modelNotFound'],
    ['a model that is none', ['--model', 'src/errors.ts', question], 'modelCorrupt'],
    ['a limit below one line', ['--reading-limit', '1', question], 'badArgument'],
    ['a question beyond the window', [...short, 'why '.repeat(20_000)], 'questionTooLong'],
  ])('%s', async (_, commandLine, reason) => {
    const run = runAsk(['--json', ...commandLine], { cwd: workspace });
    const end = await run.ended;
    expect(jsonLines(end).at(-1)).toEqual({
      event: 'error',
      reason,
      message: expect.any(String) as string,
      remedy: expect.any(String) as string,
    });
    expect(end).toMatchObject({ code: 2, stderr: '' });
    expect(await run.engines()).toEqual([]);
  });

  test('and says so to people in two sentences', async () => {
    const end = await runAsk(['--device', 'abacus', question], { cwd: workspace }).ended;
    expect(end).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        '--device takes one of auto, cpu, vulkan, cuda, metal, not "abacus".\nRun with --help to see the options.\n',
    });
  });
});

const stages = ['finding', 'loading', 'reading', 'answering'] as const;

describe('an engine that is killed exits with 3', () => {
  test.each(stages)('while %s', async (stage) => {
    const run = runAsk(['--json', ...longAnswer, question], {
      cwd: workspace,
      onLine: onceAt(stage, async (run) => {
        for (const pid of await run.engines()) process.kill(pid, 'SIGKILL');
      }),
    });
    const end = await run.ended;
    expect(jsonLines(end).at(-1)).toMatchObject({
      event: 'error',
      reason: expect.stringMatching(/^engine(?:NotStarted|Stopped)$/) as string,
      message: expect.stringContaining('SIGKILL') as string,
    });
    expect(end).toMatchObject({ code: 3, stderr: '' });
    expect(await run.engines()).toEqual([]);
  });
});

describe('cancelling exits with 130 and leaves no process', () => {
  test.each(stages.flatMap((stage) => (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ stage, signal }))))(
    '$signal while $stage',
    async ({ stage, signal }) => {
      let signalled = Infinity;
      const run = runAsk(['--json', ...longAnswer, question], {
        cwd: workspace,
        onLine: onceAt(stage, (run) => {
          signalled = performance.now();
          run.signalGroup(signal);
        }),
      });
      const end = await run.ended;
      expect(performance.now() - signalled).toBeLessThan(endsWithinMs);
      expect(end).toMatchObject({ code: 130, stderr: '' });
      expect(jsonLines(end).at(-1)).toMatchObject({ event: 'error', reason: 'cancelled' });
      expect(await run.engines()).toEqual([]);
    },
  );

  test('a second Ctrl-C waits for nothing', async () => {
    let signalled = Infinity;
    const run = runAsk(['--json', ...longAnswer, question], {
      cwd: workspace,
      onLine: onceAt('reading', (run) => {
        signalled = performance.now();
        run.signalGroup('SIGINT');
        setTimeout(() => run.signalGroup('SIGINT'), 5);
      }),
    });
    const end = await run.ended;
    expect(performance.now() - signalled).toBeLessThan(1_000);
    expect(end).toMatchObject({ code: 130, stderr: '' });
    expect(await enginesLeft(run, endsWithinMs)).toEqual([]);
  });

  test('a parent that is killed takes its engine with it', async () => {
    const run = runAsk(['--json', ...longAnswer, question], {
      cwd: workspace,
      onLine: onceAt('reading', (run) => process.kill(run.pid, 'SIGKILL')),
    });
    expect(await run.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await enginesLeft(run, endsWithinMs)).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['JSON', ['--json']],
    ['text', []],
  ])('`| head -1` has its line of %s, and no complaint', async (_, format) => {
    const command = [process.execPath, askBundle, ...format, ...short, question].map(quoted).join(' ');
    const run = runCommand(['bash', '-c', `${command} 2>"$LOG" | head -1; echo "code \${PIPESTATUS[0]}"`], {
      cwd: workspace,
      env: { LOG: join(workspace, 'build output', 'stderr') },
    });
    const end = await run.ended;
    const [first, ...rest] = end.stdout.trimEnd().split('\n');
    expect(first).not.toBe('');
    // When the last thing was written before the reader left, the command has done its work.
    expect(rest).toEqual([expect.stringMatching(/^code (?:0|130)$/)]);
    expect(await readFile(join(workspace, 'build output', 'stderr'), 'utf8')).not.toMatch(
      /EPIPE|error|\n\s+at /i,
    );
    expect(await enginesLeft(run, endsWithinMs)).toEqual([]);
  });
});

interface JsonRange {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}
interface JsonAnswer {
  readonly event: 'answer';
  readonly text: string;
  readonly citations: readonly (JsonRange & { readonly source: string })[];
  readonly evidence: readonly (JsonRange & { readonly weight: number })[];
  readonly coverage: {
    readonly filesFound: number;
    readonly filesRead: number;
    readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  };
  readonly statistics: Statistics;
}
type JsonEvent =
  | ProgressEvent
  | JsonAnswer
  | { readonly event: 'text'; readonly text: string }
  | { readonly event: 'error'; readonly reason: string; readonly message: string; readonly remedy: string };

function jsonLines({ stdout }: AskEnd): JsonEvent[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
}

function stagesOf(events: readonly JsonEvent[]): string[] {
  return [...new Set(events.flatMap((event) => (event.event === 'progress' ? [event.stage] : [])))];
}

/** Acts upon the first progress of a stage; for `reading`, the first that says that something was read. */
function onceAt(
  stage: (typeof stages)[number],
  act: (run: AskRun) => unknown,
): (line: string, run: AskRun) => void {
  let acted = false;
  return (line, run) => {
    const event = JSON.parse(line) as JsonEvent;
    if (acted || event.event !== 'progress' || event.stage !== stage) return;
    if (stage === 'reading' && event.done === 0) return;
    acted = true;
    void act(run);
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
