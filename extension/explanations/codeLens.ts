/** Above each definition, where the user wants it: what is known of it in a sentence, or the offer to explain it. */
import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import { readSettings } from '../editor/settings.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import type { ExplanationStore } from './explanationStore.ts';
import { sourceOf, storedAt } from './lookUp.ts';
import { firstSentence } from './modelText.ts';
import { isPublic } from './outline.ts';
import { symbolArguments } from './symbolArguments.ts';
import { symbolsOf, type NamedPlace } from './symbolPlaces.ts';

/** Characters that a line of the editor has room for. */
const longestTitle = 100;

class SymbolLens extends vscode.CodeLens {
  readonly place: NamedPlace;

  constructor(place: NamedPlace) {
    super(new vscode.Range(place.position, place.position));
    this.place = place;
  }
}

/** @param onChange tells that explanations were made, or the setting changed */
export function createCodeLensProvider(
  store: ExplanationStore,
  grammars: Grammars,
  onChange: vscode.Event<void>,
): vscode.CodeLensProvider<SymbolLens> {
  return {
    onDidChangeCodeLenses: onChange,
    async provideCodeLenses(document, token) {
      if (!readSettings(document).settings.codeLens) return [];
      const source = sourceOf(document);
      if (source === undefined) return [];
      const symbols = await symbolsOf(source, grammars);
      if (token.isCancellationRequested) return [];
      const { workspace, path, text } = source;
      return symbols
        .filter((symbol) => isPublic(symbol, text))
        .map(({ name, line, column }) => {
          const position = new vscode.Position(line - 1, column);
          return new SymbolLens({ workspace, path, line, name, uri: document.uri, position });
        });
    },
    async resolveCodeLens(lens, token) {
      const cancelled = new AbortController();
      token.onCancellationRequested(() => cancelled.abort());
      const stored = await storedAt(lens.place, store, cancelled.signal);
      lens.command = {
        title: stored?.valid === true ? titleOf(stored.explanation.text) : vscode.l10n.t('Explain'),
        command: commands.explainSymbol,
        arguments: [symbolArguments(lens.place)],
      };
      return lens;
    },
  };
}

/** A title is plain text but for icons, which a "$(" begins. */
function titleOf(text: string): string {
  return firstSentence(text, longestTitle).replaceAll('$(', '$\u200b(');
}
