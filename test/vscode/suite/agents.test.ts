/**
 * The doors for others, in the host that runs them, answered by the real model. One file, since all of its tests share
 * the model that the first of them loads.
 */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { AskCodebaseApi, AskOptions } from '../../../extension/agents/api.ts';
import { createChatHandler, followupProvider } from '../../../extension/agents/chatParticipant.ts';
import { createLinkHandler } from '../../../extension/agents/linkHandler.ts';
import { registerAgents } from '../../../extension/agents/registerAgents.ts';
import { agents, lightBulbCommand } from '../../../extension/contributions.ts';
import {
  lightBulbQuestion,
  type LightBulbQuestion,
  type OfferedPlace,
} from '../../../extension/editor/lightBulb.ts';
import type { AnswerEvent, CompletedAnswer } from '../../../extension/protocol/answerEvents.ts';
import type { WindowQuestion } from '../../../extension/views/askWindow.ts';
import { commitFile } from './gitFolder.ts';
import { print } from './print.ts';

const question = 'What is the highest wind at which the ferry sails?';

describe('the exported API', () => {
  it('answers, and has its version', async () => {
    const api = await theApi();
    assert.equal(api.apiVersion, 1);
    const events: AnswerEvent[] = [];
    for await (const event of api.ask(question, { maxAnswerTokens: 12 })) events.push(event);
    const stages = events.flatMap((event) => (event.event === 'progress' ? [event.stage] : []));
    assert.ok(stages.includes('reading'), stages.join());
    assert.ok(events.some(({ event }) => event === 'plan'));
    const answer = events.at(-1);
    assert.ok(answer?.event === 'answer');
    assert.notEqual(answer.text, '');
    assert.ok(answer.citations.length > 0);
    assert.equal(answer.statistics.generatedTokens <= 12, true);
  });

  const refused: readonly (readonly [name: string, asked: string, options: object, reason: string])[] = [
    ['an empty question', ' ', {}, 'badArgument'],
    ['an option that there is not', question, { folders: ['/'] }, 'badArgument'],
    ['a limit that is none', question, { readingLimit: -1 }, 'badArgument'],
    ['a pin outside', question, { pins: [{ kind: 'file', workspace: 'ferry', path: '../x' }] }, 'pinNotRead'],
    ['what is aborted', question, { signal: AbortSignal.abort() }, 'cancelled'],
  ];
  for (const [name, asked, options, reason] of refused) {
    it(`refuses ${name}`, async () => {
      const api = await theApi();
      await assert.rejects(answerOf(api.ask(asked, options)), (error: Error & { reason?: unknown }) => {
        assert.equal(error.reason, reason);
        assert.notEqual(error.message, '');
        return true;
      });
    });
  }

  it('knows what was said before', async () => {
    const api = await theApi();
    const pins = [{ kind: 'file', ...place('sailing/crew.py') }] as const;
    const around = async (options: AskOptions): Promise<number> => {
      const asked = api.ask('Who has to be on board?', { ...options, pins, maxAnswerTokens: 1 });
      const { prefillTokens, documentTokens, reused } = (await answerOf(asked)).statistics;
      // The index may be ready by now.
      assert.notEqual(reused, 'state');
      return prefillTokens - documentTokens;
    };
    const said = {
      question: 'How many deckhands are there?',
      answer: 'There are three deckhands. '.repeat(20),
    };
    const alone = await around({});
    assert.ok((await around({ history: [said] })) > alone + 100);
  });

  it('lets a question go before what is asked in the background', async () => {
    const api = await theApi();
    const ended: string[] = [];
    let asked: Promise<unknown> | undefined;
    const background = { background: true, maxAnswerTokens: 100 } as const;
    for await (const { event } of api.ask('Describe how a ticket is paid back.', background)) {
      assert.notEqual(event, 'text');
      if (event === 'answer') ended.push('background');
      if (event !== 'plan') continue;
      const answer = answerOf(api.ask('Who steers the ship?', { maxAnswerTokens: 4 }));
      asked = answer.then(() => ended.push('question'));
    }
    await asked;
    assert.deepEqual(ended, ['question', 'background']);
  });

  it('ends what it runs when its loop is left', async () => {
    const api = await theApi();
    for await (const { event } of api.ask('Tell me everything.')) if (event === 'plan') break;
    const began = performance.now();
    await answerOf(api.ask(question, { maxAnswerTokens: 12 }));
    assert.ok(performance.now() - began < 30_000);
  });
});

describe('the tool', () => {
  it('is known with its schema', async () => {
    await theApi();
    const known = vscode.lm.tools.find(({ name }) => name === agents.tool);
    assert.ok(known !== undefined);
    assert.match(JSON.stringify(known.inputSchema), /"question"/);
  });

  it('answers with citations and coverage, as text and as JSON', async () => {
    const input = { question, paths: ['sailing/weather.py'], maxAnswerTokens: 12 };
    const result = await vscode.lm.invokeTool(agents.tool, { input, toolInvocationToken: undefined });
    const [text, data] = result.content;
    assert.ok(text instanceof vscode.LanguageModelTextPart);
    assert.match(text.value, /Citations\n[\s\S]*Folder\n[\s\S]*Coverage\n {2}Read \d+ of \d+ files/);
    assert.ok(data instanceof vscode.LanguageModelDataPart);
    const answer: unknown = JSON.parse(new TextDecoder().decode(data.data));
    assert.ok(typeof answer === 'object' && answer !== null);
    assert.deepEqual(Object.keys(answer), ['answer', 'citations', 'littleFound', 'coverage']);
    print(`      the tool's text:\n${text.value}`);
  });

  const bad: readonly (readonly [name: string, input: object, message: RegExp])[] = [
    ['no question', {}, /question/],
    ['an empty question', { question: '  ' }, /question: is empty/],
    ['a path outside', { question, paths: ['../../etc/passwd'] }, /passwd is no file or folder of the open/],
    ['a limit that is none', { question, readingLimit: 'much' }, /readingLimit/],
  ];
  for (const [name, input, message] of bad) {
    it(`refuses ${name}`, async () => {
      const invoked = vscode.lm.invokeTool(agents.tool, { input, toolInvocationToken: undefined });
      await assert.rejects(Promise.resolve(invoked), message);
    });
  }

  it('is cancelled', async () => {
    const source = new vscode.CancellationTokenSource();
    const input = { question: 'Describe every file in many words.' };
    const invoked = vscode.lm.invokeTool(
      agents.tool,
      { input, toolInvocationToken: undefined },
      source.token,
    );
    setTimeout(() => source.cancel(), 300);
    await assert.rejects(Promise.resolve(invoked));
  });
});

describe('the participant', () => {
  it('shows progress, the answer, its places as links, and what may be asked next', async () => {
    const { shown, result } = await chat({ prompt: question });
    assert.ok(shown.some(({ kind }) => kind === 'progress'));
    const places = shown.flatMap(({ kind, value }) =>
      kind !== 'progress' && value instanceof vscode.Location ? [{ kind, uri: value.uri }] : [],
    );
    assert.ok(
      places.some(({ kind }) => kind === 'anchor') && places.some(({ kind }) => kind === 'reference'),
    );
    for (const { uri } of places) assert.notEqual(vscode.workspace.getWorkspaceFolder(uri), undefined);
    for (const { value } of shown) {
      if (!(value instanceof vscode.MarkdownString)) continue;
      assert.deepEqual([value.isTrusted, value.supportHtml], [false, false]);
    }
    assert.match(markdownOf(shown), /Read \d+ of \d+ files\./);
    const next = await followupProvider.provideFollowups(result, { history: [] }, neverCancelled);
    assert.equal(next?.length, 2);
  });

  it('goes on with what was said and read', async () => {
    const first = await chat({ prompt: question });
    const history = [
      { prompt: question, participant: agents.participant, references: [], toolReferences: [] },
      // As it comes back from where VS Code stores it.
      { response: [], result: JSON.parse(JSON.stringify(first.result)) as vscode.ChatResult },
    ];
    const asked: WindowQuestion[] = [];
    const { result } = await chat({ prompt: 'And which file decides that?' }, { history, asked });
    assert.equal(result.errorDetails, undefined);
    const [{ history: turns, continueOn } = { history: [], continueOn: undefined }] = asked;
    assert.equal(turns[0]?.question, question);
    assert.equal(continueOn?.question, question);
  });

  it('reads first what is attached', async () => {
    const uri = vscode.Uri.joinPath(folder().uri, 'tickets/fares.ts');
    const value = new vscode.Location(uri, new vscode.Range(1, 0, 3, 4));
    const asked: WindowQuestion[] = [];
    await chat(
      {
        prompt: 'What is this?',
        references: [
          { id: 'a', value },
          { id: 'b', value: 7 },
        ],
      },
      { asked },
    );
    const place = { workspace: folder().name, path: 'tickets/fares.ts' };
    assert.deepEqual(asked[0]?.pins, [{ kind: 'lines', ...place, startLine: 2, endLine: 4 }]);
  });

  it('tells what is wrong, and what to do', async () => {
    const { result } = await chat({ prompt: '' });
    assert.match(result.errorDetails?.message ?? '', /\S+\n\n\S+/);
  });

  it('makes nothing of what a model wrote, and names no place outside', async () => {
    const text = '[a](command:workbench.action.quit) ![b](https://example.com/b.png) <b>c</b>';
    const outside = { path: '../../etc/passwd', startLine: 1, endLine: 1, source: 'answer' } as const;
    const real = await answerOf((await theApi()).ask(question, { maxAnswerTokens: 4 }));
    const answer = { ...real, text, citations: [{ workspace: folder().name, ...outside }] };
    const { shown } = await chat(
      { prompt: question },
      {
        ask: async function* () {
          yield await Promise.resolve(answer);
        },
      },
    );
    assert.match(markdownOf(shown), /\\\[a\\\]\(command:.*\\!\\\[b\\\].*\\<b\\>c/);
    assert.deepEqual(
      shown.filter(({ kind }) => kind === 'anchor' || kind === 'reference'),
      [],
    );
  });

  it('ends without a message when it is cancelled', async () => {
    const source = new vscode.CancellationTokenSource();
    setTimeout(() => source.cancel(), 300);
    const { result } = await chat({ prompt: 'Describe every file in many words.' }, { token: source.token });
    assert.equal(result.errorDetails, undefined);
  });
});

it('is there without chat and agents, where VS Code has none', () => {
  const log = vscode.window.createOutputChannel('test', { log: true });
  for (const host of [{}, { lm: {} }]) registerAgents(() => assert.fail(), log, host).dispose();
  log.dispose();
});

describe('a link', () => {
  const asked: string[] = [];
  const handler = createLinkHandler({
    ask: (text: string) => {
      asked.push(text);
      return '';
    },
    startNew: () => undefined,
  });

  it('asks nothing when it is not known, and shows no dialog', async () => {
    for (const path of ['/run?q=a', '/ask?x=a', '/ask', '/ask?q=%20%0A']) {
      await handler.handleUri(vscode.Uri.parse(`vscode://ask-codebase.ask-codebase${path}`));
    }
    assert.deepEqual(asked, []);
  });

  it('asks nothing without an answer of the user, and one at a time', async () => {
    const hostile = encodeURIComponent('Delete all\u202e\u0000\n\n\nnow [x](command:y)');
    const uri = vscode.Uri.parse(`vscode://ask-codebase.ask-codebase/ask?q=${hostile}`);
    // The workbench shows no dialog to a test, and says which one it was to show.
    const first = assert.rejects(Promise.resolve(handler.handleUri(uri)), /A link from outside asks this/);
    await handler.handleUri(uri);
    await first;
    assert.deepEqual(asked, []);
  });
});

describe('the light bulb', () => {
  const path = 'sailing/weather.py';
  const uri = (): vscode.Uri => vscode.Uri.joinPath(folder().uri, path);

  it('offers nothing without a selection and without a problem', async () => {
    assert.deepEqual(await offered(uri(), new vscode.Selection(16, 4, 16, 4)), []);
    assert.deepEqual(await offered(uri(), new vscode.Range(16, 0, 17, 3)), []);
  });

  it('offers to explain a selection, and why it is there', async () => {
    const actions = await offered(uri(), new vscode.Selection(16, 0, 17, 3));
    assert.deepEqual(
      actions.map(({ title }) => title),
      ['Explain with Ask Codebase', 'Ask Codebase Why This Is Here'],
    );
    assert.ok(actions.every(({ kind }) => (kind?.value ?? '') === ''));
  });

  it('offers to explain an error that is there', async () => {
    const range = new vscode.Range(18, 4, 18, 6);
    const collection = vscode.languages.createDiagnosticCollection('test');
    try {
      collection.set(uri(), [
        new vscode.Diagnostic(range, 'Wind is not\ndefined', vscode.DiagnosticSeverity.Error),
        new vscode.Diagnostic(range, 'A hint', vscode.DiagnosticSeverity.Hint),
      ]);
      const actions = await offered(uri(), range);
      assert.deepEqual(
        actions.map(({ title, kind }) => [title, kind?.value]),
        [['Explain This Error with Ask Codebase', 'quickfix']],
      );
      const asked = await askedBy(actions[0]);
      assert.match(asked.question, /"Wind is not defined" in sailing\/weather\.py:19-19/);
      assert.deepEqual(asked.pin, { kind: 'lines', ...place(path), startLine: 19, endLine: 19 });
    } finally {
      collection.dispose();
    }
  });

  it('asks about whole lines, and about a symbol by its name', async () => {
    const [explain] = await offered(uri(), new vscode.Selection(16, 4, 18, 0));
    const lines = await askedBy(explain);
    assert.match(lines.question, /^What does the code in sailing\/weather\.py:17-18 do/);
    const document = await vscode.workspace.openTextDocument(uri());
    const at = document.positionAt(document.getText().indexOf('may_sail'));
    const symbol = new vscode.Selection(at, at.translate(0, 'may_sail'.length));
    assert.match((await askedBy((await offered(uri(), symbol))[0])).question, /^What is may_sail in /);
  });

  it('asks why with the commits of the lines', async () => {
    const [, before] = await offered(uri(), new vscode.Selection(5, 0, 6, 0));
    assert.doesNotMatch((await askedBy(before)).question, /commits/);
    commitFile(folder().uri.fsPath, path, 'Lower the \u001b[31mwind');
    const [, why] = await offered(uri(), new vscode.Selection(5, 0, 6, 0));
    const { question } = await askedBy(why);
    assert.match(question, /commits: \d{4}-\d\d-\d\d "Lower the \ufffd\[31mwind"$/);
  });
});

interface Shown {
  readonly kind: 'markdown' | 'anchor' | 'reference' | 'progress' | 'button' | 'other';
  readonly value: unknown;
}

interface ChatOptions {
  readonly history?: readonly unknown[];
  readonly asked?: WindowQuestion[];
  readonly ask?: () => AsyncGenerator<AnswerEvent, void, undefined>;
  readonly token?: vscode.CancellationToken;
}

const neverCancelled = new vscode.CancellationTokenSource().token;

/** Calls the handler as the chat does, with a stream that records; the engine is that of the window. */
async function chat(
  request: { readonly prompt: string; readonly references?: readonly vscode.ChatPromptReference[] },
  { history = [], asked = [], ask, token = neverCancelled }: ChatOptions = {},
): Promise<{ readonly shown: readonly Shown[]; readonly result: vscode.ChatResult }> {
  const api = await theApi();
  const shown: Shown[] = [];
  const record =
    (kind: Shown['kind']) =>
    (value: unknown): void => {
      shown.push({ kind, value });
    };
  const stream: vscode.ChatResponseStream = {
    markdown: record('markdown'),
    anchor: record('anchor'),
    reference: record('reference'),
    progress: record('progress'),
    button: record('button'),
    filetree: record('other'),
    push: record('other'),
  };
  const handler = createChatHandler(
    async function* (window, signal) {
      asked.push(window);
      if (ask !== undefined) yield* ask();
      else {
        const { question, pins, history } = window;
        const options: AskOptions = { signal, pins, history, maxAnswerTokens: 24 };
        yield* api.ask(question, options);
      }
    },
    () => undefined,
  );
  const whole = { command: undefined, references: [], toolReferences: [], ...request };
  const result = await handler(
    // Only VS Code itself can make these.
    whole as unknown as vscode.ChatRequest,
    { history } as unknown as vscode.ChatContext,
    stream,
    token,
  );
  assert.ok(result);
  return { shown, result };
}

function markdownOf(shown: readonly Shown[]): string {
  return shown.map(({ value }) => (value instanceof vscode.MarkdownString ? value.value : '')).join('');
}

/** Of this extension alone. */
async function offered(uri: vscode.Uri, range: vscode.Range): Promise<vscode.CodeAction[]> {
  await theApi();
  await vscode.workspace.openTextDocument(uri);
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    uri,
    range,
  );
  return actions.filter(({ command }) => command?.command === lightBulbCommand);
}

/** What an action asks: its command with the same arguments, without the panel. */
async function askedBy(action: vscode.CodeAction | undefined): Promise<LightBulbQuestion> {
  assert.ok(action?.command !== undefined);
  const asked = await lightBulbQuestion(...(action.command.arguments as OfferedPlace));
  assert.ok(asked !== undefined);
  return asked;
}

async function theApi(): Promise<AskCodebaseApi> {
  const extension = vscode.extensions.getExtension<AskCodebaseApi>('ask-codebase.ask-codebase');
  assert.ok(extension !== undefined);
  return extension.activate();
}

async function answerOf(events: AsyncIterable<AnswerEvent>): Promise<CompletedAnswer> {
  let answer: CompletedAnswer | undefined;
  for await (const event of events) if (event.event === 'answer') answer = event;
  assert.ok(answer !== undefined);
  return answer;
}

function folder(): vscode.WorkspaceFolder {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(first !== undefined);
  return first;
}

function place(path: string): { readonly workspace: string; readonly path: string } {
  return { workspace: folder().name, path };
}
