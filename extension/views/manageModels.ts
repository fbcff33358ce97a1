/** "Manage Models": what the own model folder takes of the disk, and deleting from it. */
import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import { bytesText } from '../models/amounts.ts';
import { modelFolder } from '../models/modelFolder.ts';
import { deleteOwnModel, freeBytesFor, ownModels, type OwnModel } from '../models/ownModels.ts';
import type { Cuda } from './cuda.ts';
import { showFailure } from './showFailure.ts';

interface TakenItem extends vscode.QuickPickItem {
  readonly model: OwnModel | 'cuda';
}

/** Shows the own folder until the user leaves; files of other tools are never among them. */
export async function manageModels(cuda: Cuda): Promise<void> {
  const folder = readSettings().settings.modelFolder ?? modelFolder();
  for (;;) {
    const model = await pickModel(folder, await cuda.bytes());
    if (model === undefined) return;
    if (model === 'cuda') await cuda.remove();
    else if (await isConfirmed(model)) await remove(model);
  }
}

async function pickModel(folder: string, cudaBytes: number): Promise<TakenItem['model'] | undefined> {
  const [models, free] = await Promise.all([ownModels(folder), freeBytesFor(folder)]);
  const taken = bytesText(models.reduce((sum, { bytes }) => sum + bytes, 0));
  const title =
    free === undefined
      ? vscode.l10n.t('Models take {0}', taken)
      : vscode.l10n.t('Models take {0}; {1} of the disk are free', taken, bytesText(free));
  const items = models.map((model): TakenItem => {
    const state = model.unfinished ? [vscode.l10n.t('not whole')] : [];
    return {
      label: model.name,
      description: [bytesText(model.bytes), ...state].join(' · '),
      detail: model.path,
      iconPath: new vscode.ThemeIcon('trash'),
      model,
    };
  });
  if (cudaBytes > 0) {
    const detail = vscode.l10n.t("llama.cpp's library for NVIDIA's GPUs");
    const iconPath = new vscode.ThemeIcon('trash');
    items.push({ label: 'CUDA', description: bytesText(cudaBytes), detail, iconPath, model: 'cuda' });
  }
  const placeHolder =
    items.length === 0
      ? vscode.l10n.t('There is none in {0}', folder)
      : vscode.l10n.t('Choose one to delete it');
  return (await vscode.window.showQuickPick(items, { title, placeHolder }))?.model;
}

async function isConfirmed({ name, bytes, path }: OwnModel): Promise<boolean> {
  const question = vscode.l10n.t('Delete {0}? {1} become free.', name, bytesText(bytes));
  const yes = vscode.l10n.t('Delete');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail: path }, yes)) === yes;
}

async function remove({ name, path }: OwnModel): Promise<void> {
  const title = vscode.l10n.t('Deleting {0}', name);
  const location = { location: vscode.ProgressLocation.Notification, cancellable: true };
  try {
    await vscode.window.withProgress({ ...location, title }, (_, token) => {
      const cancelled = new AbortController();
      token.onCancellationRequested(() => cancelled.abort());
      return deleteOwnModel(path, cancelled.signal);
    });
  } catch (error) {
    void showFailure(error);
  }
}
