/** What the page says about the window and the engine. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { EngineState, EngineView, PageState } from '../extension/protocol/chat.ts';
import type { RemedyAction } from '../extension/protocol/conversation.ts';
import { icon, textButton } from './buttons.ts';
import { formatShare } from './format.ts';
import { send } from './host.ts';

export function noticesView({ notices, trusted }: PageState): TemplateResult | typeof nothing {
  if (notices.length === 0 && trusted) return nothing;
  return html`<div class="notices">
    ${
      trusted
        ? nothing
        : html`<p class="notice">
            ${icon('shield')}
            <span
              >${l10n.t('Restricted mode: settings of this workspace that name programs or models are ignored.')}
              ${remedyLink(l10n.t('Manage trust'), 'manageTrust')}</span
            >
          </p>`
    }
    ${notices.map((notice) => html`<p class="notice">${icon('info')} <span>${notice}</span></p>`)}
  </div>`;
}

export function statusLine({ state, model, device, percent, details }: EngineView): TemplateResult {
  const parts = [
    percent === undefined ? stateName(state) : `${stateName(state)} ${formatShare(percent / 100)}`,
  ];
  if (model !== undefined) parts.push(model);
  if (device !== undefined) parts.push(device);
  return html`<footer class="muted">
    ${icon(state === 'failed' ? 'error' : 'chip')}
    <span title=${details?.join('\n') ?? nothing}
      >${parts.join(' · ')} ${state === 'failed' ? remedyLink(l10n.t('Show log'), 'showLog') : nothing}</span
    >
  </footer>`;
}

function remedyLink(label: string, action: RemedyAction): TemplateResult {
  return textButton(label, () => send({ type: 'remedy', exchangeId: null, action }), 'link');
}

function stateName(state: EngineState): string {
  const names: Readonly<Record<EngineState, string>> = {
    stopped: l10n.t('Engine stopped'),
    loading: l10n.t('Loading the model'),
    ready: l10n.t('Ready'),
    reading: l10n.t('Reading'),
    answering: l10n.t('Answering'),
    failed: l10n.t('Engine failed'),
  };
  return names[state];
}
