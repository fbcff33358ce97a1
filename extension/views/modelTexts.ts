/** What is said of models, in the user's language. */
import * as vscode from 'vscode';
import { bytesText, durationText, memoryBar } from '../models/amounts.ts';
import type { GoodFor } from '../models/catalogue.ts';
import { choiceTexts, figures, type Choice, type Recommendation, type Room } from '../models/recommend.ts';

/** Why it is offered: a sentence for the choice, and one with the numbers. */
export function reasonText(recommendation: Recommendation): string {
  const { template, args } = figures(recommendation);
  return `${vscode.l10n.t(choiceTexts[recommendation.choice])} ${vscode.l10n.t(template, ...args)}`;
}

/** As short as a row is wide: what it takes, how long it reads, and for what it is chosen. */
export function recommendationText(recommendation: Recommendation): string {
  const reads = vscode.l10n.t('10,000 tokens in about {0}', durationText(recommendation.seconds));
  const why = vscode.l10n.t(choiceTexts[recommendation.choice]);
  return [memoryText(recommendation), reads, why].join(' · ');
}

export function choiceText(choice: Choice): string {
  switch (choice) {
    case 'fast':
      return vscode.l10n.t('Fast');
    case 'balanced':
      return vscode.l10n.t('Balanced');
    case 'best':
      return vscode.l10n.t('Best');
  }
}

export function goodForText(goodFor: GoodFor): string {
  switch (goodFor) {
    case 'code':
      return vscode.l10n.t('made for code');
    case 'text':
      return vscode.l10n.t('for texts of all kinds');
    case 'weakMachines':
      return vscode.l10n.t('runs anywhere, with simple answers');
  }
}

/** "▰▰▱▱▱▱▱▱▱▱ takes 1.6 GB of 8.0 GB of free memory" */
export function memoryText({ neededBytes, freeBytes, onGpu, fits }: Room & { neededBytes: number }): string {
  const [needed, free] = [bytesText(neededBytes), bytesText(freeBytes)];
  const sentence = !fits
    ? vscode.l10n.t('takes {0}, more than suits {1} of free memory', needed, free)
    : onGpu
      ? vscode.l10n.t('takes {0} of {1} free on the GPU', needed, free)
      : vscode.l10n.t('takes {0} of {1} of free memory', needed, free);
  return `${memoryBar(neededBytes, freeBytes)} ${sentence}`;
}

/** @param exact false: nobody here has seen the file */
export function sizeText(bytes: number, exact: boolean): string {
  return exact ? bytesText(bytes) : vscode.l10n.t('about {0}', bytesText(bytes));
}

/** Names of languages in the user's own. */
export function languagesText(languages: readonly string[]): string {
  const names = new Intl.DisplayNames(vscode.env.language, { type: 'language' });
  return languages.map((language) => names.of(language) ?? language).join(', ');
}
