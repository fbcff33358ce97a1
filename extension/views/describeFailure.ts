/** A failure in the user's language, with what the editor offers against it. */
import * as vscode from 'vscode';
import { AskError, errors, type ErrorReason } from '../errors.ts';
import type { Failure, RemedyAction } from '../protocol/conversation.ts';
import { sentenceText } from './engineTexts.ts';

export function describeFailure(error: unknown): Failure {
  const known =
    error instanceof AskError
      ? error
      : errors.internal(error instanceof Error ? error.message : String(error), error);
  const { remedy, actions } = remedyOf(known.reason);
  return {
    reason: known.reason,
    message: sentenceText(known),
    remedy,
    actions: actions.map((action) => ({ action, label: labelOf(action) })),
  };
}

/** Of an exchange that ran when the window closed. */
export function interruptedFailure(): Failure {
  return {
    reason: 'interrupted',
    message: vscode.l10n.t('The window was closed or reloaded while this was answered.'),
    remedy: vscode.l10n.t('What was written is kept. Go on from there, or ask again.'),
    actions: [],
  };
}

interface Remedy {
  readonly remedy: string;
  readonly actions: readonly RemedyAction[];
}

function remedyOf(reason: ErrorReason): Remedy {
  switch (reason) {
    case 'badArgument':
      return {
        remedy: vscode.l10n.t('Change the question or the setting.'),
        actions: ['openSettings', 'askAgain'],
      };
    case 'workspaceNotFound':
      return { remedy: vscode.l10n.t('Open a folder that exists.'), actions: ['openFolder'] };
    case 'nothingToRead':
    case 'pinNotRead':
      return {
        remedy: vscode.l10n.t(
          'Look at the reasons of the files left out. A line that begins with "!" in .askcodebaseignore brings files back.',
        ),
        actions: ['showFiles', 'askAgain'],
      };
    case 'questionTooLong':
      return {
        remedy: vscode.l10n.t('Shorten the question, or lower the token budget in the settings.'),
        actions: ['openSettings'],
      };
    case 'modelNotHere':
      return {
        remedy: vscode.l10n.t('Get the model, then ask again.'),
        actions: ['getModel', 'chooseModel'],
      };
    case 'modelAccess':
      return {
        remedy: vscode.l10n.t(
          'Set a Hugging Face token of an account that may read the repository, then ask again.',
        ),
        actions: ['setHubToken', 'askAgain', 'chooseModel'],
      };
    case 'modelNotFound':
    case 'modelCorrupt':
    case 'modelNotServed':
      return { remedy: vscode.l10n.t('Choose another model.'), actions: ['chooseModel', 'showLog'] };
    case 'kvCacheNotServed':
      return {
        remedy: vscode.l10n.t(
          'Set the KV cache type to f16 in the settings, or choose another device or model.',
        ),
        actions: ['openSettings', 'chooseModel', 'askAgain'],
      };
    case 'notEnoughMemory':
    case 'decodeFailed':
      return {
        remedy: vscode.l10n.t('Close other programs, choose a smaller model or lower the token budget.'),
        actions: ['chooseModel', 'openSettings', 'askAgain'],
      };
    case 'cacheFolderNotWritable':
    case 'diskFull':
      return {
        remedy: vscode.l10n.t(
          'Free some space, or choose another model folder in the settings. What arrived is kept.',
        ),
        actions: ['openSettings', 'askAgain'],
      };
    case 'downloadFailed':
    case 'checksumMismatch':
      return {
        remedy: vscode.l10n.t(
          'Check the network and try again, or choose a model file that is on this machine.',
        ),
        actions: ['askAgain', 'chooseModel', 'showLog'],
      };
    case 'libraryNotLoaded':
    case 'deviceNotFound':
      return {
        remedy: vscode.l10n.t(
          'Choose another device in the settings, or install the extension for this platform.',
        ),
        actions: ['openSettings', 'showLog', 'askAgain'],
      };
    case 'cudaMissing':
      return {
        remedy: vscode.l10n.t(
          'Get CUDA, or choose the device auto, which takes the best that there is here.',
        ),
        actions: ['getCuda', 'openSettings', 'askAgain'],
      };
    case 'cudaNotFetched':
      return {
        remedy: vscode.l10n.t('Mend that and try again, or bring the files by hand. Nothing of it was kept.'),
        actions: ['getCuda', 'showLog'],
      };
    case 'cudaNotRemoved':
      return {
        remedy: vscode.l10n.t('Close the other windows that use it, and try again.'),
        actions: ['showLog'],
      };
    case 'cudaCannotRun':
      return {
        remedy: vscode.l10n.t(
          "Install what is missing (NVIDIA's driver, and the CUDA toolkit 12 or 13 with cuBLAS), or choose the device auto or vulkan in the settings.",
        ),
        actions: ['openSettings', 'askAgain', 'showLog'],
      };
    case 'engineNotStarted':
    case 'engineVersion':
    case 'engineGaveUp':
    case 'internal':
      return { remedy: vscode.l10n.t('Look at the log, and ask again.'), actions: ['askAgain', 'showLog'] };
    case 'engineStopped':
    case 'engineHung':
      return {
        remedy: vscode.l10n.t('The engine is started anew. What was written is kept.'),
        actions: ['continue', 'askAgain', 'showLog'],
      };
    case 'cancelled':
      return { remedy: vscode.l10n.t('Ask again when you like.'), actions: ['askAgain'] };
  }
}

function labelOf(action: RemedyAction): string {
  switch (action) {
    case 'getModel':
      return vscode.l10n.t('Get the Model');
    case 'getCuda':
      return vscode.l10n.t('Get CUDA');
    case 'setHubToken':
      return vscode.l10n.t('Set Hugging Face Token');
    case 'chooseModel':
      return vscode.l10n.t('Choose Model');
    case 'askAgain':
      return vscode.l10n.t('Ask Again');
    case 'continue':
      return vscode.l10n.t('Continue');
    case 'showFiles':
      return vscode.l10n.t('Show the Files');
    case 'openFolder':
      return vscode.l10n.t('Open Folder');
    case 'openSettings':
      return vscode.l10n.t('Open Settings');
    case 'showLog':
      return vscode.l10n.t('Show Log');
    case 'manageTrust':
      return vscode.l10n.t('Manage Trust');
  }
}
