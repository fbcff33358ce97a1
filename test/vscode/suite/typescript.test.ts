/** With a real language server: the one of VS Code's own TypeScript extension. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { namedPlaceAt } from '../../../extension/explanations/lookUp.ts';
import { findPlaces } from '../../../extension/explanations/symbolPlaces.ts';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import type { LineRange } from '../../../extension/protocol/nouns.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';

const grammars = createGrammars(readGrammarFile);
/** It starts and reads the project first. */
const patienceMs = 60_000;
/** What it calls here is nowhere defined by that name. */
const groups = `import { fareOf as priceOf, type Passenger } from './fares';

export function groupPrice(passengers: readonly Passenger[]): number {
  return passengers.reduce((sum, passenger) => sum + priceOf(passenger), 0);
}
`;

describe('what the TypeScript server knows', () => {
  it('is read first for an explanation, whatever the words say', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder !== undefined);
    const write = async (path: string, text: string): Promise<vscode.Uri> => {
      const uri = vscode.Uri.joinPath(folder.uri, path);
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
      return uri;
    };
    // A project of all files of its folder.
    await write('tickets/tsconfig.json', '{}');
    const uri = await write('tickets/groups.ts', groups);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document);
    const position = document.positionAt(groups.indexOf('priceOf(') + 1);
    const named = await namedPlaceAt(document, position, grammars);
    assert.ok(named !== undefined);
    await untilItAnswers(uri, position);

    const found = await findPlaces(named.place, grammars, new AbortController().signal);
    assert.equal(shown(found.definition), 'tickets/fares.ts:12-15');
    assert.deepEqual(found.key, {
      ...{ workspace: 'ferry', path: 'tickets/fares.ts' },
      ...{ container: '', name: 'priceOf' },
    });
    assert.equal(shown(found.pins[0]), 'tickets/fares.ts:9-18');
    // Calls before other references.
    assert.deepEqual(found.uses.slice(0, 2).map(shown).sort(), [
      'tickets/groups.ts:4-4',
      'tickets/refunds.ts:5-5',
    ]);
  });
});

async function untilItAnswers(uri: vscode.Uri, position: vscode.Position): Promise<void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      uri,
      position,
    );
    const texts = hovers.flatMap(({ contents }) =>
      contents.map((one) => (one instanceof vscode.MarkdownString ? one.value : '')),
    );
    if (texts.some((text) => text.includes('priceOf({ age, bicycle }: Passenger): number'))) return;
    assert.ok(Date.now() < until, `it says ${JSON.stringify(texts)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function shown(range: LineRange | undefined): string {
  return range === undefined ? '' : `${range.path}:${range.startLine}-${range.endLine}`;
}
