import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { commands, settings, settingsSection } from '../../../extension/contributions.ts';
import type { Explanation } from '../../../extension/explanations/explanation.ts';
import { ExplanationStore } from '../../../extension/explanations/explanationStore.ts';
import { createHoverProvider } from '../../../extension/explanations/hover.ts';
import { namedPlaceAt } from '../../../extension/explanations/lookUp.ts';
import { findPlaces, type NamedPlace } from '../../../extension/explanations/symbolPlaces.ts';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import type { LineRange } from '../../../extension/protocol/nouns.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';
import { textHash } from '../../../extension/textHash.ts';
import { print } from './print.ts';

/** Beyond it a hover is felt to be late. */
const slowestMedianMs = 50;
const rounds = 50;
const grammars = createGrammars(readGrammarFile);

describe('a hover', () => {
  it('offers to explain a name, and nothing else runs', async () => {
    const { document } = await opened('sailing/weather.py', 'may_sail');
    const at = document.positionAt(document.getText().indexOf('may_sail'));
    const content = await shownAt(document, at);
    assert.match(content, /Explain may&#95;sail with Ask Codebase/);
    assert.deepEqual(commandsIn(content), [commands.explainSymbol]);
    const keyword = await shownAt(document, document.positionAt(document.getText().indexOf('def ')));
    assert.equal(keyword, '');
  });

  it('is left out of the languages for which it is turned off', async () => {
    const offers = async (path: string, word: string): Promise<boolean> => {
      const { document } = await opened(path, word);
      const at = document.positionAt(document.getText().indexOf(word));
      return (await shownAt(document, at)).includes('with Ask Codebase');
    };
    const inPython = (value: boolean | undefined): Thenable<void> =>
      vscode.workspace
        .getConfiguration(settingsSection, { languageId: 'python' })
        .update(settings.hover.key, value, vscode.ConfigurationTarget.Workspace, true);
    const { uri } = vscode.workspace.workspaceFolders![0]!;
    try {
      await inPython(false);
      assert.equal(await offers('sailing/weather.py', 'may_sail'), false);
      assert.equal(await offers('tickets/refunds.ts', 'fareOf('), true);
    } finally {
      await inPython(undefined);
      await vscode.workspace.fs.delete(vscode.Uri.joinPath(uri, '.vscode'), { recursive: true });
    }
    assert.equal(await offers('sailing/weather.py', 'may_sail'), true);
  });

  it('is made in time, whatever is stored', async () => {
    const { document, place } = await opened('tickets/refunds.ts', 'fareOf(');
    const folder = await mkdtemp(join(tmpdir(), 'ask-codebase-explanations-'));
    try {
      const store = new ExplanationStore(folder, {
        onProblem: (problem) => assert.fail(JSON.stringify(problem)),
      });
      const provider = createHoverProvider(store, grammars);
      await timed(provider, document, place, 'nothing stored');
      const hostile =
        'It [adds](command:workbench.action.quit) <b>a</b> fare ![x](https://example.com/x.png).';
      const explanation = await explanationOf(hostile);
      for (let index = 0; index < 500; index++) await store.write({ ...explanation, name: `other${index}` });
      await store.write(explanation);
      const content = await timed(provider, document, place, 'explained, 501 stored');
      assert.deepEqual(commandsIn(content), []);
      assert.doesNotMatch(content, /<|!\[|https:/);
      assert.match(content, /&#91;adds&#93;/);
      assert.match(content, /\[tickets&#47;fares&#46;ts&#58;12\]\(file:\/\/\/.+\/tickets\/fares.ts#L12\)/);
      await store.write({
        ...explanation,
        files: explanation.files.map((file) => ({ ...file, hash: 'old' })),
      });
      const old = await timed(provider, document, place, 'its files have changed');
      assert.deepEqual(commandsIn(old), [commands.explainSymbol]);
      assert.deepEqual(old.match(/<[^>]*>/g), [
        '<span style="color:var(--vscode-disabledForeground);">',
        '</span>',
      ]);
      const cancelled = new vscode.CancellationTokenSource();
      cancelled.cancel();
      assert.equal(await provider.provideHover(document, place.position, cancelled.token), undefined);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('what is read first for an explanation', () => {
  it('is found by the name where there is no language server', async () => {
    const { place } = await opened('tickets/refunds.ts', 'fareOf(');
    const found = await findPlaces(place, grammars, new AbortController().signal);
    assert.deepEqual(found.key, {
      workspace: 'ferry',
      path: 'tickets/fares.ts',
      container: '',
      name: 'fareOf',
    });
    assert.equal(shown(found.definition), 'tickets/fares.ts:12-15');
    assert.deepEqual(found.uses.map(shown), ['tickets/refunds.ts:1-1', 'tickets/refunds.ts:5-5']);
    assert.deepEqual(found.pins.map(shown), [
      'tickets/fares.ts:9-18',
      'tickets/refunds.ts:1-4',
      'tickets/refunds.ts:2-8',
    ]);
    assert.deepEqual(found.files.map(({ path }) => path).sort(), ['tickets/fares.ts', 'tickets/refunds.ts']);
  });

  it('is what language servers say, as far as it belongs to the workspace', async () => {
    const { document, place } = await opened('board/board.c', 'board_send(');
    const at = (path: string, line: number): vscode.Location => {
      const [folder] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(folder !== undefined);
      return new vscode.Location(
        vscode.Uri.joinPath(folder.uri, path),
        new vscode.Range(line - 1, 4, line - 1, 14),
      );
    };
    const caller = at('sailing/crew.py', 6);
    const item = new vscode.CallHierarchyItem(
      ...([vscode.SymbolKind.Function, 'caller', '', caller.uri, caller.range, caller.range] as const),
    );
    const registered = [
      vscode.languages.registerDefinitionProvider('c', { provideDefinition: () => at('board/board.h', 11) }),
      vscode.languages.registerReferenceProvider('c', {
        // The second is left out by .gitignore, the third is nowhere.
        provideReferences: () => [at('board/board.c', 12), at('build/board.map', 1), at('../elsewhere.c', 1)],
      }),
      vscode.languages.registerCallHierarchyProvider('c', {
        prepareCallHierarchy: () => item,
        provideCallHierarchyIncomingCalls: () => [new vscode.CallHierarchyIncomingCall(item, [caller.range])],
        provideCallHierarchyOutgoingCalls: () => [],
      }),
    ];
    try {
      assert.equal(document.languageId, 'c');
      const found = await findPlaces(place, grammars, new AbortController().signal);
      assert.equal(shown(found.definition), 'board/board.h:11-11');
      assert.deepEqual(found.uses.map(shown), ['sailing/crew.py:6-6', 'board/board.c:12-12']);
    } finally {
      for (const one of registered) one.dispose();
    }
  });
});

describe('the command that explains', () => {
  for (const hostile of [
    { uri: 'command:workbench.action.quit', line: 0, character: 0 },
    { uri: 'https://example.com/a.ts', line: 0, character: 0 },
    { uri: 'file:///etc/hostname', line: 0, character: 0 },
    { uri: 'file:///a', line: -1, character: 0 },
    { uri: `${rootUri()}/../../../../../../../../etc/hostname`, line: 0, character: 0 },
    {
      uri: `${rootUri()}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/hostname`,
      line: 0,
      character: 0,
    },
    'file:///etc/hostname',
    [],
  ]) {
    it(`takes no place but one in the workspace: ${JSON.stringify(hostile)}`, async () => {
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await vscode.commands.executeCommand(commands.explainSymbol, hostile);
      assert.equal(vscode.window.activeTextEditor, undefined);
    });
  }
});

async function opened(
  path: string,
  word: string,
): Promise<{ readonly document: vscode.TextDocument; readonly place: NamedPlace }> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder !== undefined);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, path));
  await vscode.window.showTextDocument(document);
  const named = await namedPlaceAt(document, document.positionAt(document.getText().indexOf(word)), grammars);
  assert.ok(named !== undefined);
  return { document, place: named.place };
}

function rootUri(): string {
  return String(vscode.workspace.workspaceFolders?.[0]?.uri);
}

/** What all hovers of VS Code say there, as Markdown. */
async function shownAt(document: vscode.TextDocument, position: vscode.Position): Promise<string> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers.map(markdownOf).join('\n');
}

async function timed(
  provider: vscode.HoverProvider,
  document: vscode.TextDocument,
  place: NamedPlace,
  state: string,
): Promise<string> {
  const times: number[] = [];
  let content = '';
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const hover = await provider.provideHover(
      document,
      place.position,
      new vscode.CancellationTokenSource().token,
    );
    times.push(performance.now() - began);
    assert.ok(hover);
    content = markdownOf(hover);
  }
  times.sort((a, b) => a - b);
  const median = times[rounds / 2]!;
  print(`      hover, ${state}: median ${median.toFixed(1)} ms, slowest ${times.at(-1)!.toFixed(1)} ms`);
  assert.ok(median < slowestMedianMs, `${median} ms`);
  return content;
}

function markdownOf({ contents }: vscode.Hover): string {
  return contents.map((one) => (one instanceof vscode.MarkdownString ? one.value : '')).join('\n');
}

function commandsIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/\]\(command:([\w.]+)/g)].map(([, command]) => command ?? '');
}

async function explanationOf(text: string): Promise<Explanation> {
  const file = { workspace: 'ferry', path: 'tickets/fares.ts' };
  const { document } = await opened(file.path, 'fareOf');
  return {
    ...{ ...file, container: '', name: 'fareOf', text, madeAt: 1 },
    definition: { ...file, startLine: 12, endLine: 15 },
    uses: [{ workspace: 'ferry', path: 'tickets/refunds.ts', startLine: 5, endLine: 5 }],
    files: [{ ...file, hash: textHash(document.getText()) }],
  };
}

function shown(range: LineRange | undefined): string {
  return range === undefined ? '' : `${range.path}:${range.startLine}-${range.endLine}`;
}
