/** `ask --list-models`: what suits this machine, what is here, and what there is to get. */
import { bytesText } from '../models/amounts.ts';
import { choiceTexts, figures } from '../models/recommend.ts';
import type { ListedFile, ModelList } from '../models/modelList.ts';
import { fillTemplate } from '../protocol/sentence.ts';
import { safeText } from './safeText.ts';

/** Each line ends with a newline; names are as `--model` takes them. */
export function modelTable({ recommendations, catalogue, files }: ModelList): string {
  const { choices, first } = recommendations;
  const recommended = choices.flatMap((recommendation) => {
    const { choice, entry } = recommendation;
    const { template, args } = figures(recommendation);
    const star = recommendation === first ? ' (recommended)' : '';
    const reason = `${choiceTexts[choice]} ${fillTemplate(template, args)}`;
    return [`  ${choice.padEnd(9)} ${entry.name}${star}`, `            ${reason}`];
  });
  const nameWidth = Math.max(...catalogue.map(({ entry }) => entry.name.length));
  const entries = catalogue.map(({ entry, here, bytes, neededBytes, fits }) => {
    const size = `${entry.verification.kind === 'sha256' ? '' : '~'}${bytesText(bytes)}`;
    const memory = `~${bytesText(neededBytes)} of memory${fits ? '' : ' (too much)'}`;
    const row = [entry.name.padEnd(nameWidth), size.padStart(8), memory.padEnd(28), entry.license.padEnd(19)];
    return `  ${row.join('  ')}  ${here ? 'on this machine' : ''}`.trimEnd();
  });
  return [
    'For this machine:',
    ...recommended,
    '',
    'All of the catalogue:',
    ...entries,
    ...(files.length === 0
      ? []
      : ['', 'Other files on this machine, by their paths:', ...files.map(fileLines)]),
    '',
  ].join('\n');
}

function fileLines({ tool, name, path, bytes, judgement }: ListedFile): string {
  const from = tool === null ? [] : [`of ${tool}`];
  const state =
    'refused' in judgement
      ? `refused: ${judgement.refused.message}`
      : `~${bytesText(judgement.neededBytes)} of memory${judgement.fits ? '' : ' (too much)'}`;
  return `  ${[safeText(name), bytesText(bytes), ...from, safeText(state)].join(', ')}\n    ${safeText(path)}`;
}
