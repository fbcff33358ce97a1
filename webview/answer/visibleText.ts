/** Text whose hidden characters are seen. */
import * as l10n from '@vscode/l10n';
import { codePointName, cutAtHiddenCharacters } from '../../extension/protocol/hiddenCharacters.ts';

/** Appends a text, each hidden character in it shown by its name. */
export function appendVisible(parent: ParentNode, text: string, where: 'code' | 'prose'): void {
  for (const piece of cutAtHiddenCharacters(text, where)) {
    parent.append('text' in piece ? piece.text : named(piece.hidden));
  }
}

function named(character: string): HTMLElement {
  const shown = document.createElement('span');
  shown.className = 'hidden-character';
  const name = codePointName(character);
  shown.textContent = name;
  shown.title = l10n.t('Hidden character {0}', name);
  return shown;
}
