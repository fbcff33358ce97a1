/** The commands that make explanations: of one symbol, and of a file's. */
import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import { AskError } from '../errors.ts';
import type { ProgressEvent } from '../protocol/answerEvents.ts';
import type { RemedyAction } from '../protocol/conversation.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import { describeFailure } from '../views/describeFailure.ts';
import { fillingBar } from '../views/fillingBar.ts';
import type { Explainer } from './explainer.ts';
import type { ExplanationStore } from './explanationStore.ts';
import { namedPlaceAt, sourceOf, storedAt } from './lookUp.ts';
import { isPublic } from './outline.ts';
import { parseSymbolArguments } from './symbolArguments.ts';
import { symbolsOf, type NamedPlace } from './symbolPlaces.ts';

export interface ExplainCommands {
  /** @param place as a link gives it; else the caret's */
  readonly explainSymbol: (place?: unknown) => Promise<void>;
  readonly explainFile: () => Promise<void>;
}

export function createExplainCommands(
  explainer: Explainer,
  store: ExplanationStore,
  grammars: Grammars,
  log: vscode.LogOutputChannel,
): ExplainCommands {
  return {
    async explainSymbol(given) {
      const editor = await editorAt(given);
      const named =
        editor === undefined
          ? undefined
          : await namedPlaceAt(editor.document, editor.selection.active, grammars);
      if (editor === undefined || named === undefined) {
        void vscode.window.showInformationMessage(
          vscode.l10n.t('Put the caret into a name in a file of the workspace.'),
        );
        return;
      }
      const { place, range } = named;
      const shown = await storedAt(place, store, new AbortController().signal);
      if (shown?.valid !== true) {
        const title = vscode.l10n.t('Explaining {0}', place.name);
        const made = await whatItSays(log, () =>
          withProgress(title, (progress, signal) => {
            const tell = fillingBar(progress);
            const onProgress = (event: ProgressEvent): void =>
              tell(messageOf(event), event.done, event.stage === 'reading' ? event.total : undefined);
            return explainer.explain(place, onProgress, signal);
          }),
        );
        if (made === 'failed') return;
        if (made === undefined) {
          void vscode.window.showInformationMessage(
            vscode.l10n.t('Nothing that is read says what {0} is.', place.name),
          );
          return;
        }
      }
      const active = vscode.window.activeTextEditor;
      if (active?.document === editor.document && range.contains(active.selection.active)) {
        await vscode.commands.executeCommand('editor.action.showHover');
      }
    },

    async explainFile() {
      const document = vscode.window.activeTextEditor?.document;
      const source = document === undefined ? undefined : sourceOf(document);
      if (document === undefined || source === undefined) {
        void vscode.window.showInformationMessage(
          vscode.l10n.t('Open a file of the workspace to explain its symbols.'),
        );
        return;
      }
      const symbols = (await symbolsOf(source, grammars)).filter((symbol) => isPublic(symbol, source.text));
      const { workspace, path } = source;
      if (symbols.length === 0) {
        void vscode.window.showInformationMessage(
          vscode.l10n.t('Nothing that others may use is defined in {0}.', path),
        );
        return;
      }
      const places = symbols.map(({ name, line, column }): NamedPlace => ({
        ...{ workspace, path, line, name, uri: document.uri },
        position: new vscode.Position(line - 1, column),
      }));
      const title = vscode.l10n.t('Explaining the symbols of {0}', path);
      const explained = await whatItSays(log, () =>
        withProgress(title, async (progress, signal) => {
          const tell = fillingBar(progress);
          let explained = 0;
          for (const [index, place] of places.entries()) {
            const message = vscode.l10n.t('{0} of {1}: {2}', index + 1, places.length, place.name);
            tell(message, index, places.length);
            const stored = await storedAt(place, store, signal);
            const isNew = stored?.valid !== true;
            if (!isNew || (await explainer.explain(place, () => undefined, signal)) !== undefined)
              explained++;
          }
          return explained;
        }),
      );
      if (explained === 'failed') return;
      void vscode.window.showInformationMessage(
        vscode.l10n.t('{0} of {1} symbols of {2} are explained.', explained, places.length, path),
      );
    },
  };
}

/** The editor with its caret at a place that a link gave; the active one when none is given. */
async function editorAt(given: unknown): Promise<vscode.TextEditor | undefined> {
  if (given === undefined) return vscode.window.activeTextEditor;
  const target = await parseSymbolArguments(given);
  if (target === undefined) return undefined;
  const document = await vscode.workspace.openTextDocument(target.uri);
  const caret = document.validatePosition(target.position);
  return vscode.window.showTextDocument(document, { selection: new vscode.Range(caret, caret) });
}

async function withProgress<T>(
  title: string,
  work: (
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    signal: AbortSignal,
  ) => Promise<T>,
): Promise<T> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
    const cancelled = new AbortController();
    token.onCancellationRequested(() => cancelled.abort());
    return work(progress, cancelled.signal);
  });
}

/** What the work gives. A failure is told with what can be done against it; once the model is there, it goes on. */
async function whatItSays<T>(log: vscode.LogOutputChannel, work: () => Promise<T>): Promise<T | 'failed'> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AskError && error.reason === 'cancelled') return 'failed';
      log.error(error instanceof Error ? error : String(error));
      const { message, remedy, actions } = describeFailure(error);
      const offered = actions.filter(({ action }) => commandOf(action) !== undefined);
      const chosen = await vscode.window.showErrorMessage(
        `${message} ${remedy}`,
        ...offered.map(({ action, label: title }) => ({ title, action })),
      );
      const command = chosen === undefined ? undefined : commandOf(chosen.action);
      if (command === undefined) return 'failed';
      await vscode.commands.executeCommand(command);
      if (chosen?.action !== 'getModel') return 'failed';
    }
  }
}

function commandOf(action: RemedyAction): string | undefined {
  switch (action) {
    case 'getModel':
    case 'getCuda':
    case 'setHubToken':
    case 'chooseModel':
    case 'showFiles':
    case 'showLog':
    case 'openSettings':
      return commands[action];
    case 'openFolder':
    case 'askAgain':
    case 'continue':
    case 'manageTrust':
      return undefined;
  }
}

function messageOf({ stage, done, total }: ProgressEvent): string {
  switch (stage) {
    case 'finding':
    case 'ranking':
      return vscode.l10n.t('Finding files');
    case 'downloading':
    case 'verifying':
    case 'loading':
      return vscode.l10n.t('Loading the model');
    case 'reading':
      return total === undefined || total === 0
        ? vscode.l10n.t('Reading')
        : vscode.l10n.t('Reading, {0} %', ((100 * done) / total).toFixed(0));
    case 'answering':
      return vscode.l10n.t('Answering');
  }
}
