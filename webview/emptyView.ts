/** What a conversation without questions shows. */
import * as l10n from '@vscode/l10n';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { textButton } from './buttons.ts';
import { send } from './host.ts';

/** @param use takes an example question into the input */
export function emptyView(folders: readonly string[], use: (question: string) => void): TemplateResult {
  return html`<div class="empty">
    <p>
      ${l10n.t(
        'Ask a question, and a model on this machine reads the files of this workspace to answer it. Every answer names the lines it comes from, and nothing leaves this machine.',
      )}
    </p>
    ${
      folders.length === 0
        ? html`<p>${l10n.t('No folder is open.')}</p>
            <div class="actions">
              ${textButton(
                l10n.t('Open folder'),
                () => send({ type: 'remedy', exchangeId: null, action: 'openFolder' }),
                'primary',
              )}
            </div>`
        : html`<h2>${l10n.t('For example')}</h2>
            <ul class="examples">
              ${examples().map((question) => html`<li>${textButton(question, () => use(question))}</li>`)}
            </ul>`
    }
  </div>`;
}

function examples(): string[] {
  return [
    l10n.t('What does this project do, and where does it start?'),
    l10n.t('Where are errors handled, and what does the user see?'),
    l10n.t('Which parts have no tests?'),
  ];
}
