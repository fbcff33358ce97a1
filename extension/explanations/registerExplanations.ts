/** Joins hover, code lens and commands to one store of explanations. */
import * as vscode from 'vscode';
import { settingsSection } from '../contributions.ts';
import { readGrammarFile } from '../grammarFiles.ts';
import { createGrammars } from '../retrieval/syntax.ts';
import type { AskWindow } from '../views/askWindow.ts';
import { createCodeLensProvider } from './codeLens.ts';
import { createExplainCommands, type ExplainCommands } from './explainCommands.ts';
import { Explainer } from './explainer.ts';
import { ExplanationStore } from './explanationStore.ts';
import { createHoverProvider } from './hover.ts';

export function registerExplanations(
  context: vscode.ExtensionContext,
  ask: AskWindow['ask'],
  log: vscode.LogOutputChannel,
): ExplainCommands {
  const grammars = createGrammars(readGrammarFile);
  const changed = new vscode.EventEmitter<void>();
  const folder = vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, 'explanations').fsPath;
  const store = new ExplanationStore(folder, {
    onProblem: (problem) => log.warn(problem),
    onChange: () => changed.fire(),
  });
  const explainer = new Explainer({ ask, store, grammars });
  const files: vscode.DocumentFilter = { scheme: 'file' };
  context.subscriptions.push(
    changed,
    // For any document, and not for those of a kind: what fits less closely stands below the language server's hover.
    vscode.languages.registerHoverProvider('*', createHoverProvider(store, grammars)),
    vscode.languages.registerCodeLensProvider(files, createCodeLensProvider(store, grammars, changed.event)),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(settingsSection)) changed.fire();
    }),
  );
  return createExplainCommands(explainer, store, grammars, log);
}
