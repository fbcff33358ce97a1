/** "Get CUDA": its size first, progress that can be cancelled, files brought by hand, and removing it. */
import * as vscode from 'vscode';
import { cudaErrors } from '../cuda/cudaErrors.ts';
import { cudaPackages, hasNvidiaDriver, packageSpec, type CudaPackage } from '../cuda/cudaPackages.ts';
import {
  cudaBytes,
  cudaFolder,
  getCuda,
  isCudaHere,
  removeCuda,
  sumBytes,
  type CudaProgress,
  type CudaSource,
} from '../cuda/getCuda.ts';
import { commands } from '../contributions.ts';
import { readSettings } from '../editor/settings.ts';
import type { BundledEngineOptions } from '../engineClient/bundledEngine.ts';
import { engineDevices } from '../engineClient/engineDevices.ts';
import { isAskError } from '../errors.ts';
import { bytesText } from '../models/amounts.ts';
import { fillingBar } from './fillingBar.ts';
import { showFailure } from './showFailure.ts';

export interface Cuda {
  /** Asks first; where it is here already, it can be removed. */
  readonly get: () => Promise<void>;
  /** Asks first. */
  readonly remove: () => Promise<void>;
  /** Where there is an NVIDIA GPU without it: said once, and never again. */
  readonly offerOnce: () => Promise<void>;
  /** What it takes of the disk. */
  readonly bytes: () => Promise<number>;
  readonly engineOptions: () => BundledEngineOptions;
}

export interface CudaParts {
  readonly log: vscode.LogOutputChannel;
  readonly proxy: () => string | undefined;
  /** It looks for the library when it starts. */
  readonly restartEngine: () => void;
}

const offeredKey = 'cudaOffered';

export function keepCuda(context: vscode.ExtensionContext, parts: CudaParts): Cuda {
  const root = vscode.Uri.joinPath(context.globalStorageUri, 'cuda').fsPath;
  const packages = cudaPackages();
  const engineOptions = (): BundledEngineOptions =>
    packages === undefined ? {} : { cudaFolder: cudaFolder(root, packages) };

  const remove = async (): Promise<void> => {
    const freed = bytesText(await cudaBytes(root));
    const question = vscode.l10n.t('Delete {0}? {1} become free.', 'CUDA', freed);
    const yes = vscode.l10n.t('Delete');
    if ((await vscode.window.showWarningMessage(question, { modal: true }, yes)) !== yes) return;
    parts.restartEngine();
    const { signal } = new AbortController();
    await removeCuda(root, signal).catch(showFailure);
  };

  const bring = async (wanted: readonly CudaPackage[], source: CudaSource): Promise<void> => {
    try {
      if (!(await withCudaProgress(wanted, root, source))) return;
    } catch (error) {
      parts.log.error(error instanceof Error ? error : String(error));
      return showFailure(error);
    }
    parts.restartEngine();
    // Whether NVIDIA's own files are there is only known now.
    const found = await engineDevices('cuda', engineOptions()).catch((error: unknown) => showFailure(error));
    if (found !== undefined) tellOfUse();
  };

  return {
    async get() {
      if (packages === undefined) {
        return showFailure(cudaErrors.notHere(`${process.platform} ${process.arch}`));
      }
      if (await isCudaHere(root, packages)) return offerRemoval(await cudaBytes(root), remove);
      const source = await askForSource(packages, parts.proxy());
      if (source !== undefined) await bring(packages, source);
    },
    remove,
    async offerOnce() {
      const { device } = readSettings().settings;
      const isWanted = device === 'auto' || device === 'cuda';
      if (packages === undefined || !isWanted || !hasNvidiaDriver()) return;
      if (context.globalState.get<boolean>(offeredKey, false) || (await isCudaHere(root, packages))) return;
      await context.globalState.update(offeredKey, true);
      const get = vscode.l10n.t('Get CUDA');
      const message = vscode.l10n.t(
        'This machine has an NVIDIA GPU. It can also be driven by CUDA, which has to be fetched ({0}).',
        bytesText(sumBytes(packages, 'bytes')),
      );
      const chosen = await vscode.window.showInformationMessage(message, get);
      if (chosen === get) await vscode.commands.executeCommand(commands.getCuda);
    },
    bytes: () => cudaBytes(root),
    engineOptions,
  };
}

async function askForSource(
  packages: readonly CudaPackage[],
  proxy: string | undefined,
): Promise<CudaSource | undefined> {
  const message = vscode.l10n.t(
    "Get CUDA, llama.cpp's library for NVIDIA's GPUs? {0} are fetched with npm, and {1} of the disk are taken.",
    bytesText(sumBytes(packages, 'bytes')),
    bytesText(sumBytes(packages, 'unpackedBytes')),
  );
  const detail = vscode.l10n.t(
    "It needs NVIDIA's driver, and the CUDA toolkit 12 or 13 with cuBLAS, which it does not have in it.",
  );
  const get = vscode.l10n.t('Get CUDA');
  const choose = vscode.l10n.t('Choose Files…');
  const chosen = await vscode.window.showInformationMessage(message, { modal: true, detail }, get, choose);
  if (chosen === get) return { kind: 'npm', ...(proxy === undefined ? {} : { proxy }) };
  if (chosen !== choose) return undefined;
  const paths = await chooseFiles(packages);
  return paths && { kind: 'files', paths };
}

/** A remote window's dialog gives one file at a time, so it opens until there is one for each package. */
async function chooseFiles(packages: readonly CudaPackage[]): Promise<readonly string[] | undefined> {
  const paths = new Set<string>();
  const names = packages.map(packageSpec).join(', ');
  const filters = { 'npm pack': ['tgz'] };
  while (paths.size < packages.length) {
    const title = `${paths.size + 1} / ${packages.length}: ${names}`;
    const files = await vscode.window.showOpenDialog({ title, filters, canSelectMany: true });
    if (files === undefined) return undefined;
    for (const { fsPath } of files) paths.add(fsPath);
  }
  return [...paths];
}

/** False when it was cancelled. Throws as `getCuda` does. */
async function withCudaProgress(
  packages: readonly CudaPackage[],
  root: string,
  source: CudaSource,
): Promise<boolean> {
  const location = vscode.ProgressLocation.Notification;
  const title = vscode.l10n.t('Getting CUDA');
  try {
    await vscode.window.withProgress({ location, title, cancellable: true }, (progress, token) => {
      const cancelled = new AbortController();
      token.onCancellationRequested(() => cancelled.abort());
      const tell = fillingBar(progress);
      const onProgress = ({ stage, done, total }: CudaProgress): void => {
        tell(`${stageText(stage)} ${bytesText(done)} / ${bytesText(total)}`, done, total);
      };
      return getCuda(packages, { root, source, signal: cancelled.signal, onProgress });
    });
    return true;
  } catch (error) {
    if (isAskError(error, 'cancelled')) return false;
    throw error;
  }
}

function stageText(stage: CudaProgress['stage']): string {
  switch (stage) {
    case 'downloading':
      return vscode.l10n.t('Downloading');
    case 'verifying':
      return vscode.l10n.t('Verifying');
    case 'unpacking':
      return vscode.l10n.t('Unpacking');
  }
}

async function offerRemoval(bytes: number, remove: () => Promise<void>): Promise<void> {
  const message = vscode.l10n.t('CUDA is on this machine and takes {0}.', bytesText(bytes));
  const label = vscode.l10n.t('Delete');
  if ((await vscode.window.showInformationMessage(message, label)) === label) await remove();
}

function tellOfUse(): void {
  const { device } = readSettings().settings;
  void vscode.window.showInformationMessage(
    device === 'auto' || device === 'cuda'
      ? vscode.l10n.t('CUDA is here. The next question runs on it.')
      : vscode.l10n.t('CUDA is here. It is used once the setting device is auto or cuda.'),
  );
}
