/**
 * The element `ask-page`: all of the chat page. The host's document has `lang` on its root, the styles of main.css, a
 * `<meta id="l10n" data-contents="…">` with the translations as JSON (none: English), and this script as a module.
 */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { PageState, QueueItem } from '../extension/protocol/chat.ts';
import type { Draft } from '../extension/protocol/conversation.ts';
import { activitySentence } from './activity.ts';
import { createAnnouncer } from './announcer.ts';
import { applyMessage } from './applyChanges.ts';
import type { StateMessage, SyncedState } from './applyChanges.ts';
import { icon, iconButton } from './buttons.ts';
import './composer.ts';
import './conversationList.ts';
import { DraftKeeper } from './draftKeeper.ts';
import { emptyDraft } from './draftState.ts';
import { emptyView } from './emptyView.ts';
import './exchange.ts';
import { listen, send } from './host.ts';
import { LightElement } from './lightElement.ts';
import './linesPopover.ts';
import type { Preview } from './linesPopover.ts';
import { noticesView, statusLine } from './statusLine.ts';

/** Of being at the end of the transcript. */
const endPixels = 24;
const noQueue: readonly QueueItem[] = [];

class Page extends LightElement {
  static override properties = {
    synced: { state: true },
    listOpen: { state: true },
    atEnd: { state: true },
    announced: { state: true },
    initialDraft: { state: true },
  };

  declare private synced: SyncedState | null;
  declare private listOpen: boolean;
  /** The transcript follows its end. */
  declare private atEnd: boolean;
  declare private announced: string;
  declare private initialDraft: Draft;

  readonly #drafts = new DraftKeeper();
  readonly #announcer = createAnnouncer((text) => {
    this.announced = text;
  });
  /** Of the activity that was announced last. */
  #announcedStep = '';
  #announcedExchange: string | null = null;
  /** Of the transcript, when it scrolled last. */
  #lastTop = 0;
  readonly #growth = new ResizeObserver(() => this.#followEnd());

  constructor() {
    super();
    this.synced = null;
    this.listOpen = false;
    this.atEnd = true;
    this.announced = '';
    this.initialDraft = emptyDraft;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    listen((message) => this.#receive(message));
    document.addEventListener('keydown', this.#onEscape, { capture: true });
    window.addEventListener('pagehide', () => this.#drafts.leave());
    send({ type: 'ready' });
  }

  override render(): TemplateResult | typeof nothing {
    if (this.synced === null) return nothing;
    const { state } = this.synced;
    return html`${this.#header(state)}
      <main>
        ${noticesView(state)}
        ${
          this.listOpen
            ? html`<ask-conversations
                .conversations=${state.conversations}
                .shownId=${state.conversation?.id ?? null}
                .storedReadings=${state.storedReadings}
                @conversations-close=${() => void this.#closeList()}
              ></ask-conversations>`
            : this.#transcript(state)
        }
        ${this.#composer(state)}
        <ask-lines .folders=${state.folders}></ask-lines>
      </main>
      ${statusLine(state.engine)}
      <div class="visually-hidden" role="status">${this.announced}</div>`;
  }

  override firstUpdated(): void {
    this.addEventListener('ask-preview', (event) => {
      if (event instanceof CustomEvent) this.#popover?.preview(event.detail as Preview | null);
    });
  }

  override updated(changed: PropertyValues): void {
    if (!changed.has('synced') && !changed.has('listOpen')) return;
    this.#growth.disconnect();
    const exchanges = this.querySelector('.exchanges');
    if (exchanges !== null) this.#growth.observe(exchanges);
    this.#followEnd();
  }

  #header({ conversation }: PageState): TemplateResult {
    return html`<header class="row">
      <h1 class="grow">${conversation?.title ?? l10n.t('New conversation')}</h1>
      ${iconButton({
        icon: 'add',
        label: l10n.t('New conversation'),
        onClick: () => {
          this.listOpen = false;
          send({ type: 'newConversation' });
          this.#focusInput();
        },
      })}
      <button
        type="button"
        class="icon-button list-toggle"
        aria-label=${l10n.t('Conversations')}
        title=${l10n.t('Conversations')}
        aria-expanded=${this.listOpen}
        @click=${() => void (this.listOpen ? this.#closeList() : this.#openList())}
      >
        ${icon('history')}
      </button>
    </header>`;
  }

  #transcript(state: PageState): TemplateResult {
    const exchanges = state.conversation?.exchanges ?? [];
    return html`<div
        class="transcript ${this.atEnd ? 'following' : ''}"
        role="log"
        aria-live="off"
        aria-label=${l10n.t('Conversation')}
        tabindex="0"
        @scroll=${this.#onScroll}
      >
        <div class="exchanges">
          ${exchanges.length === 0 ? emptyView(state.folders, (question) => this.#fill(question)) : nothing}
          ${repeat(
            exchanges,
            ({ id }) => id,
            (exchange) => {
              const activity = state.activities[exchange.id] ?? null;
              return html`<ask-exchange
                .exchange=${exchange}
                .activity=${activity}
                .queue=${activity?.kind === 'queued' ? state.queue : noQueue}
                .folders=${state.folders}
                .marked=${state.markedExchange === exchange.id}
                .changedFiles=${state.changedFiles[exchange.id] ?? 0}
              ></ask-exchange>`;
            },
          )}
        </div>
      </div>
      ${
        this.atEnd
          ? nothing
          : html`<div class="jump">
              <button type="button" class="secondary" @click=${this.#jumpToEnd}>
                ${icon('arrow-down')} ${l10n.t('Jump to latest')}
              </button>
            </div>`
      }`;
  }

  #composer(state: PageState): TemplateResult {
    const unfinished = unfinishedExchange(state);
    const last = state.conversation?.exchanges.at(-1);
    return html`<ask-composer
      class="main"
      .label=${l10n.t('Question')}
      .submitLabel=${l10n.t('Ask')}
      .placeholder=${l10n.t('Ask about this codebase')}
      .folders=${state.folders}
      .initial=${this.initialDraft}
      .previous=${last === undefined ? null : { text: last.question, pins: last.pins }}
      .stop=${unfinished === null ? null : this.#stop}
      @composer-change=${(event: CustomEvent<Draft>) => this.#drafts.change(event.detail)}
      @composer-submit=${(event: CustomEvent<Draft>) => this.#ask(event.detail)}
      @composer-escape=${this.#stop}
    ></ask-composer>`;
  }

  #receive(message: Parameters<Parameters<typeof listen>[0]>[0]): void {
    if (message.type === 'focusInput') {
      this.listOpen = false;
      if (message.pins !== undefined) this.#mainComposer?.addPins(message.pins);
      this.#focusInput();
      return;
    }
    this.#synchronize(message);
  }

  #synchronize(message: StateMessage): void {
    const next = applyMessage(this.synced, message);
    if (next === 'gap') {
      send({ type: 'resync' });
      return;
    }
    const draft = this.#drafts.receive(next.state.draft);
    if (draft !== null) this.initialDraft = draft;
    if (next.state.conversation?.id !== this.synced?.state.conversation?.id) this.atEnd = true;
    this.synced = next;
    this.#announce(next.state);
  }

  #ask({ text, pins }: Draft): void {
    this.#drafts.asked();
    this.atEnd = true;
    this.listOpen = false;
    send({ type: 'ask', question: text, pins });
  }

  #fill(question: string): void {
    const draft = { text: question, pins: this.#mainComposer?.value.pins ?? [] };
    this.initialDraft = draft;
    this.#drafts.change(draft);
    this.#focusInput();
  }

  readonly #stop = (): void => {
    const exchangeId = this.synced === null ? null : unfinishedExchange(this.synced.state);
    if (exchangeId !== null) send({ type: 'stop', exchangeId });
  };

  #announce(state: PageState): void {
    const running = state.conversation?.exchanges.find(({ state }) => state === 'running');
    const id = running?.id ?? this.#announcedExchange;
    const exchange = state.conversation?.exchanges.find((other) => other.id === id);
    if (exchange === undefined) return;
    this.#announcedExchange = running?.id ?? null;
    this.#announcer.answer(exchange.id, exchange.text, running === undefined);
    const activity = state.activities[exchange.id] ?? null;
    const step = stepOf(activity);
    if (step !== this.#announcedStep && step !== '') this.#announcer.status(activitySentence(activity));
    this.#announcedStep = step;
  }

  async #openList(): Promise<void> {
    this.listOpen = true;
    await this.updateComplete;
    this.querySelector('ask-conversations')?.focusSearch();
  }

  async #closeList(): Promise<void> {
    this.listOpen = false;
    await this.updateComplete;
    this.querySelector<HTMLElement>('.list-toggle')?.focus();
  }

  #focusInput(): void {
    void this.updateComplete.then(() => this.#mainComposer?.focusInput());
  }

  readonly #onEscape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || this.#popover?.close() !== true) return;
    event.preventDefault();
    event.stopPropagation();
  };

  readonly #onScroll = (event: Event): void => {
    const scroller = event.currentTarget;
    if (!(scroller instanceof HTMLElement)) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    // While the text grows the end moves away by itself: only a way up is the user's.
    if (scrollHeight - scrollTop - clientHeight <= endPixels) this.atEnd = true;
    else if (scrollTop < this.#lastTop) this.atEnd = false;
    this.#lastTop = scrollTop;
  };

  readonly #jumpToEnd = (): void => {
    this.atEnd = true;
    this.#followEnd();
    this.querySelector<HTMLElement>('.transcript')?.focus();
  };

  #followEnd(): void {
    const scroller = this.querySelector('.transcript');
    if (scroller !== null && this.atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  get #mainComposer() {
    return this.querySelector<HTMLElementTagNameMap['ask-composer']>('ask-composer.main');
  }

  get #popover() {
    return this.querySelector('ask-lines');
  }
}
customElements.define('ask-page', Page);

/** The one to stop: what runs, else what waits longest. */
function unfinishedExchange({ conversation }: PageState): string | null {
  const exchanges = conversation?.exchanges ?? [];
  const found =
    exchanges.find(({ state }) => state === 'running') ?? exchanges.find(({ state }) => state === 'waiting');
  return found?.id ?? null;
}

/** Changes when an activity has come far enough to be announced again. */
function stepOf(activity: PageState['activities'][string] | null): string {
  if (activity === null) return '';
  if (activity.kind !== 'progress') return activity.kind;
  const quarter = activity.total === undefined ? 0 : Math.floor((4 * activity.done) / activity.total);
  return `${activity.stage} ${activity.stage === 'reading' ? quarter : ''}`;
}
