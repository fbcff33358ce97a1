/** "Test This Machine": its progress, which can be cancelled, and what it found. */
import * as vscode from 'vscode';
import { isAskError } from '../errors.ts';
import type { MachineTest } from '../testMachine.ts';
import type { AskWindow } from './askWindow.ts';
import { loadedDetails } from './engineTexts.ts';
import { fillingBar } from './fillingBar.ts';
import { showFailure } from './showFailure.ts';

export async function showMachineTest(
  test: AskWindow['testMachine'],
  log: vscode.LogOutputChannel,
): Promise<void> {
  const found = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      cancellable: true,
      title: vscode.l10n.t('Testing this machine'),
    },
    async (progress, token) => {
      const cancelled = new AbortController();
      token.onCancellationRequested(() => cancelled.abort());
      const tell = fillingBar(progress);
      try {
        return await test(({ stage, done, total }) => {
          if (total === undefined || total === 0) return;
          const message = `${stages()[stage]} ${Math.round((100 * done) / total)} %`;
          tell(message, done, stage === 'reading' ? total : undefined);
        }, cancelled.signal);
      } catch (error) {
        if (isAskError(error, 'cancelled')) return undefined;
        log.error(error instanceof Error ? error : String(error));
        void showFailure(error);
        return undefined;
      }
    },
  );
  if (found === undefined) return;
  const lines = describe(found);
  for (const line of lines) log.info(line);
  const [title = '', ...detail] = lines;
  await vscode.window.showInformationMessage(title, { modal: true, detail: detail.join('\n') });
}

function stages(): Readonly<Record<Parameters<Parameters<AskWindow['testMachine']>[0]>[0]['stage'], string>> {
  return {
    finding: vscode.l10n.t('Counting the files'),
    ranking: vscode.l10n.t('Counting the files'),
    downloading: vscode.l10n.t('Downloading the model'),
    verifying: vscode.l10n.t('Verifying the model'),
    loading: vscode.l10n.t('Loading the model'),
    reading: vscode.l10n.t('Reading'),
    answering: vscode.l10n.t('Answering'),
  };
}

function describe(found: MachineTest): string[] {
  const { loaded, workspace } = found;
  return [
    vscode.l10n.t(
      '{0} reads {1} and answers {2} tokens a second here.',
      loaded.modelName,
      Math.round(found.readingTokensPerSecond),
      Math.round(found.answeringTokensPerSecond),
    ),
    loaded.deviceName,
    ...loadedDetails(loaded),
    vscode.l10n.t('Largest memory of the engine: {0} MB', (found.peakEngineBytes / 1e6).toFixed(0)),
    vscode.l10n.t(
      'This workspace: {0} files, about {1} tokens; all of it takes {2} s.',
      workspace.files,
      workspace.tokens,
      Math.ceil(workspace.seconds),
    ),
    vscode.l10n.t(
      'A question reads {0} tokens by default, which takes {1} s.',
      workspace.automaticTokens,
      Math.ceil(workspace.automaticSeconds),
    ),
  ];
}
