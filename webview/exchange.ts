/** The element `ask-exchange`: one question with its answer and what can be done with them. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Activity, CheckedLink, Place, QueueItem } from '../extension/protocol/chat.ts';
import type { Draft, Exchange, Failure } from '../extension/protocol/conversation.ts';
import type { ReadAgainReason } from '../extension/protocol/answerEvents.ts';
import { activityView } from './activity.ts';
import './answer/answerText.ts';
import { icon, iconButton, textButton } from './buttons.ts';
import './composer.ts';
import { factsView } from './facts.ts';
import { formatNumber, formatPin } from './format.ts';
import { checkLinks, send } from './host.ts';
import { LightElement } from './lightElement.ts';

export class ExchangeView extends LightElement {
  static override properties = {
    exchange: { attribute: false },
    activity: { attribute: false },
    queue: { attribute: false },
    folders: { attribute: false },
    marked: { attribute: false },
    changedFiles: { attribute: false },
    links: { state: true },
    editing: { state: true },
  };

  declare exchange: Exchange;
  declare activity: Activity | null;
  /** Only while it waits in it. */
  declare queue: readonly QueueItem[];
  declare folders: readonly string[];
  /** Its kept lines are marked in the editor. */
  declare marked: boolean;
  /** How many of the files that were read for it are other than they were. */
  declare changedFiles: number;
  declare links: readonly CheckedLink[];
  declare editing: boolean;

  constructor() {
    super();
    this.links = [];
    this.editing = false;
    this.changedFiles = 0;
  }

  override render(): TemplateResult {
    const { id, question, text, state, facts, readAgain } = this.exchange;
    const unfinished = state === 'waiting' || state === 'running';
    return html`<article aria-label=${l10n.t('Question: {0}', question)}>
      ${this.editing ? this.#editor() : this.#question()}
      ${readAgain === undefined ? nothing : html`<p class="muted state">${readAgainSentence(readAgain)}</p>`}
      ${
        text === ''
          ? nothing
          : html`<ask-answer
              .text=${text}
              .streaming=${unfinished}
              .links=${this.links}
              @ask-check-links=${this.#onCheckLinks}
              @ask-open=${(event: CustomEvent<Place>) => send({ type: 'open', place: event.detail })}
              @ask-copy=${(event: CustomEvent<string>) => send({ type: 'copy', text: event.detail })}
              @ask-insert=${(event: CustomEvent<string>) => send({ type: 'insert', text: event.detail })}
            ></ask-answer>`
      }
      ${unfinished ? activityView(id, this.activity, this.queue) : this.#ending()}
      ${facts === undefined ? nothing : factsView(id, facts, this.folders, this.marked, this.changedFiles > 0)}
      ${unfinished || this.changedFiles === 0 ? nothing : this.#stale()}
      ${unfinished ? nothing : this.#actions()}
    </article>`;
  }

  #question(): TemplateResult {
    const { question, pins } = this.exchange;
    return html`<div class="question">
      <h2>${question}</h2>
      ${
        pins.length === 0
          ? nothing
          : html`<ul class="chips" aria-label=${l10n.t('Read first')}>
              ${pins.map((pin) => html`<li class="chip">${formatPin(pin, this.folders)}</li>`)}
            </ul>`
      }
      <div class="toolbar">
        ${iconButton({
          icon: 'edit',
          label: l10n.t('Edit question'),
          className: 'edit-question',
          onClick: () => void this.#edit(),
        })}
        ${iconButton({
          icon: 'copy',
          label: l10n.t('Copy question'),
          onClick: () => send({ type: 'copy', text: question }),
        })}
      </div>
    </div>`;
  }

  #editor(): TemplateResult {
    const { id, question, pins } = this.exchange;
    return html`<h2 class="visually-hidden">${l10n.t('Edit question')}</h2>
      <ask-composer
        class="editing"
        .label=${l10n.t('Edit question')}
        .submitLabel=${l10n.t('Ask again')}
        .initial=${{ text: question, pins }}
        .folders=${this.folders}
        .cancellable=${true}
        @composer-submit=${(event: CustomEvent<Draft>) => {
          const { text, pins } = event.detail;
          send({ type: 'edit', exchangeId: id, question: text, pins });
          this.editing = false;
        }}
        @composer-cancel=${() => void this.#endEdit()}
      ></ask-composer>`;
  }

  async #edit(): Promise<void> {
    this.editing = true;
    await this.updateComplete;
    this.querySelector('ask-composer')?.focusInput();
  }

  async #endEdit(): Promise<void> {
    this.editing = false;
    await this.updateComplete;
    this.querySelector<HTMLElement>('.edit-question')?.focus();
  }

  /** How it ended, when that is not by an answer. */
  #ending(): TemplateResult | typeof nothing {
    const { id, state, failure } = this.exchange;
    if (state === 'failed' || (state === 'interrupted' && failure !== undefined)) {
      return html`${failure === undefined ? nothing : failureView(id, failure)}
      ${state === 'interrupted' ? this.#goOn(failure) : nothing}`;
    }
    if (state === 'stopped')
      return html`<p class="muted state">${l10n.t('Stopped.')}</p>
        ${this.#goOn()}`;
    if (state === 'interrupted')
      return html`<p class="muted state">${l10n.t('Interrupted.')}</p>
        ${this.#goOn()}`;
    return nothing;
  }

  /** The answer is about files as they were. */
  #stale(): TemplateResult {
    return html`<div class="notice stale">
      <span>${changedSentence(this.changedFiles)}</span>
      ${textButton(l10n.t('Read again'), () => send({ type: 'askAgain', exchangeId: this.exchange.id }))}
    </div>`;
  }

  /** Continue and Ask again, unless the failure has them among its own buttons. */
  #goOn(failure?: Failure): TemplateResult {
    const { id } = this.exchange;
    const offered = new Set(failure?.actions.map(({ action }) => action));
    return html`<div class="actions">
      ${
        offered.has('continue')
          ? nothing
          : textButton(l10n.t('Continue'), () => send({ type: 'continue', exchangeId: id }), 'primary')
      }
      ${
        offered.has('askAgain')
          ? nothing
          : textButton(l10n.t('Ask again'), () => send({ type: 'regenerate', exchangeId: id }))
      }
    </div>`;
  }

  #actions(): TemplateResult {
    const { id, text } = this.exchange;
    return html`<div class="toolbar">
      ${
        text === ''
          ? nothing
          : html`${iconButton({
              icon: 'copy',
              label: l10n.t('Copy answer'),
              onClick: () => send({ type: 'copy', text }),
            })}
            ${iconButton({
              icon: 'insert',
              label: l10n.t('Insert answer at cursor'),
              onClick: () => send({ type: 'insert', text }),
            })}`
      }
      ${iconButton({
        icon: 'refresh',
        label: l10n.t('Answer again'),
        onClick: () => send({ type: 'regenerate', exchangeId: id }),
      })}
    </div>`;
  }

  readonly #onCheckLinks = (event: CustomEvent<readonly string[]>): void => {
    void checkLinks(event.detail).then((links) => {
      this.links = [...this.links, ...links];
    });
  };
}
customElements.define('ask-exchange', ExchangeView);

function changedSentence(files: number): string {
  return files === 1
    ? l10n.t('1 file changed since this answer.')
    : l10n.t('{0} files changed since this answer.', formatNumber(files));
}

function readAgainSentence(why: ReadAgainReason): string {
  switch (why.reason) {
    case 'filesChanged':
      return why.files === 1
        ? l10n.t('1 file had changed, so it was read again.')
        : l10n.t('{0} files had changed, so all was read again.', formatNumber(why.files));
    case 'notStored':
      return l10n.t('What was read before is not kept any more, so it was read again.');
    case 'notHeld':
      return l10n.t('What was kept of the earlier reading does not hold this, so it was read again.');
  }
}

function failureView(exchangeId: string, { message, remedy, actions }: Failure): TemplateResult {
  return html`<div class="failure">
    <p>${icon('error')} <span>${message}</span></p>
    <p>${remedy}</p>
    <div class="actions">
      ${actions.map(({ action, label }) =>
        textButton(label, () => send({ type: 'remedy', exchangeId, action })),
      )}
    </div>
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'ask-exchange': ExchangeView;
  }
}
