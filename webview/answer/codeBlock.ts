/** A block of code: its frame while it is written, its buttons and colours once it is complete. */
import * as l10n from '@vscode/l10n';
import { grammarOf } from './grammars.ts';
import { appendVisible } from './visibleText.ts';

/** Longer code is not coloured. */
const longestColouredCode = 100_000;
const longestLanguageName = 30;

/** As it was written; what is shown of it has its hidden characters named. */
const sources = new WeakMap<Element, string>();

/** Puts `<pre data-language><code>` into a frame with a header, which has the language. */
export function frameCode(pre: HTMLElement): void {
  const frame = document.createElement('div');
  frame.className = 'code';
  const header = document.createElement('div');
  header.className = 'code-header';
  const language = document.createElement('span');
  language.className = 'code-language';
  appendVisible(language, languageOf(pre).slice(0, longestLanguageName), 'code');
  header.append(language);
  const code = pre.firstElementChild!;
  const source = code.textContent.replace(/\n$/, '');
  sources.set(frame, source);
  code.replaceChildren();
  appendVisible(code, source, 'code');
  // A box that scrolls has to be reached by keyboard.
  pre.tabIndex = 0;
  pre.setAttribute('role', 'group');
  pre.setAttribute('aria-label', l10n.t('Code'));
  pre.replaceWith(frame);
  frame.append(header, pre);
}

/** Adds the buttons that copy and insert the code; both are given it as it was written. */
export function addCodeButtons(
  frame: Element,
  copy: (code: string) => void,
  insert: (code: string) => void,
): void {
  const source = sources.get(frame) ?? '';
  frame.firstElementChild!.append(
    button(l10n.t('Copy'), () => copy(source)),
    button(l10n.t('Insert at Cursor'), () => insert(source)),
  );
}

/** Colours the code when its language is known and it is not too long. */
export async function colourCode(frame: Element): Promise<void> {
  const source = sources.get(frame) ?? '';
  const pre = frame.querySelector('pre')!;
  const grammar = grammarOf(languageOf(pre));
  if (grammar === undefined || source.length > longestColouredCode || !frame.isConnected) return;
  const { tokenizeCode } = await import('./highlighter.ts');
  const coloured = document.createDocumentFragment();
  for (const [line, tokens] of (await tokenizeCode(source, grammar)).entries()) {
    if (line > 0) coloured.append('\n');
    for (const { text, classes } of tokens) {
      if (classes.length === 0) {
        appendVisible(coloured, text, 'code');
        continue;
      }
      const span = document.createElement('span');
      span.classList.add(...classes);
      appendVisible(span, text, 'code');
      coloured.append(span);
    }
  }
  pre.firstElementChild!.replaceChildren(coloured);
}

function languageOf(pre: HTMLElement): string {
  return pre.dataset['language'] ?? '';
}

function button(label: string, act: () => void): HTMLButtonElement {
  const created = document.createElement('button');
  created.type = 'button';
  created.textContent = label;
  created.addEventListener('click', act);
  return created;
}
