/** The files of a repository on Hugging Face, to choose one. */
import * as vscode from 'vscode';
import { errors } from '../errors.ts';
import { bytesText } from '../models/amounts.ts';
import { listHubFiles } from '../models/askHub.ts';
import { hubReferenceText, type HubReference } from '../models/huggingFace.ts';
import { listedHubFiles, type ListedHubFile } from '../models/modelList.ts';
import type { AskWindow } from './askWindow.ts';
import { memoryText } from './modelTexts.ts';
import { showFailure } from './showFailure.ts';

export type HubPickParts = Pick<AskWindow, 'machine' | 'modelPlaces'>;

interface FileItem extends vscode.QuickPickItem {
  readonly file: string;
}

/** The reference to the file that the user chooses; undefined when there is none. What the hub answers is shown. */
export async function pickHubFile(
  reference: HubReference,
  { machine, modelPlaces }: HubPickParts,
): Promise<string | undefined> {
  const left = new AbortController();
  const items = async (): Promise<FileItem[]> => {
    const { access } = await modelPlaces();
    const files = await listHubFiles(reference, { signal: left.signal, access });
    if (files.length === 0) throw errors.hubNoGguf(hubReferenceText(reference));
    return listedHubFiles(files, await machine()).map(itemOf);
  };
  try {
    const found = items();
    const title = hubReferenceText(reference);
    const placeHolder = vscode.l10n.t('Smallest first: choose a file');
    // The pick closes by itself when the files cannot be had.
    const [chosen] = await Promise.all([
      vscode.window.showQuickPick(found, { title, placeHolder }).then((item) => {
        if (item === undefined) left.abort();
        return item;
      }),
      found.catch((error: unknown) => {
        if (!left.signal.aborted) throw error;
      }),
    ]);
    return chosen && hubReferenceText({ ...reference, file: chosen.file });
  } catch (error) {
    await showFailure(error);
    return undefined;
  }
}

function itemOf({ file, bytes, quantisation, ...memory }: ListedHubFile): FileItem {
  return {
    file,
    label: file,
    description: [bytesText(bytes), ...(quantisation === undefined ? [] : [quantisation])].join(' · '),
    detail: memoryText(memory),
    iconPath: new vscode.ThemeIcon(memory.fits ? 'cloud-download' : 'circle-slash'),
  };
}
