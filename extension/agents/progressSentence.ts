import * as vscode from 'vscode';
import type { ProgressEvent } from '../protocol/answerEvents.ts';

/** A chat shows each sentence as a line of its own, so that reading is told in steps of a quarter. */
const stepPercent = 25;

/** Undefined for what needs no line. */
export function progressSentence({ stage, done, total = 0 }: ProgressEvent): string | undefined {
  switch (stage) {
    case 'finding':
    case 'ranking':
      return vscode.l10n.t('Looking for files');
    case 'loading':
      return vscode.l10n.t('Loading the model');
    case 'reading': {
      const percent = total === 0 ? 0 : Math.floor((100 * done) / total / stepPercent) * stepPercent;
      return vscode.l10n.t('Reading {0} %', percent);
    }
    case 'downloading':
    case 'verifying':
    case 'answering':
      return undefined;
  }
}
