/** The element `ask-conversations`: all conversations, to open, rename, export and delete. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { StoredReadingsView } from '../extension/protocol/chat.ts';
import type { ConversationSummary } from '../extension/protocol/conversation.ts';
import { iconButton, textButton } from './buttons.ts';
import { formatBytes, formatTime } from './format.ts';
import { find, send } from './host.ts';
import { LightElement } from './lightElement.ts';

const searchPauseMilliseconds = 200;

/** Fires `conversations-close` when one was opened, and on Escape. */
export class ConversationList extends LightElement {
  static override properties = {
    conversations: { attribute: false },
    shownId: { attribute: false },
    storedReadings: { attribute: false },
    search: { state: true },
    foundIds: { state: true },
    activeId: { state: true },
    renamedId: { state: true },
  };

  /** Latest first. */
  declare conversations: readonly ConversationSummary[];
  /** Of the one that the page shows. */
  declare shownId: string | null;
  declare storedReadings: StoredReadingsView;
  declare private search: string;
  declare private foundIds: readonly string[];
  declare private activeId: string | null;
  declare private renamedId: string | null;

  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.search = '';
    this.foundIds = [];
    this.activeId = null;
    this.renamedId = null;
  }

  focusSearch(): void {
    this.querySelector<HTMLElement>('input[type=search]')?.focus();
  }

  override render(): TemplateResult {
    const rows = this.#rows();
    const active = rows.some(({ id }) => id === this.activeId) ? this.activeId : (rows[0]?.id ?? null);
    return html`<section
      class="conversations"
      aria-label=${l10n.t('Conversations')}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') this.#close();
      }}
    >
      <input
        type="search"
        aria-label=${l10n.t('Search conversations')}
        placeholder=${l10n.t('Search conversations')}
        .value=${this.search}
        @input=${this.#onSearch}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === 'ArrowDown') this.#focusRow(rows[0]?.id, event);
        }}
      />
      <p class="visually-hidden" role="status">
        ${this.search === '' ? nothing : l10n.t('{0} conversations', rows.length)}
      </p>
      ${
        rows.length === 0
          ? html`<p class="muted">
              ${
                this.search === ''
                  ? l10n.t('No conversations yet.')
                  : l10n.t('No conversation contains “{0}”.', this.search)
              }
            </p>`
          : html`<ul>
              ${repeat(
                rows,
                ({ id }) => id,
                (row) => this.#row(row, rows, row.id === active),
              )}
            </ul>`
      }
      ${this.#storage()}
    </section>`;
  }

  #storage(): TemplateResult | typeof nothing {
    const { bytes, capBytes } = this.storedReadings;
    if (bytes === 0) return nothing;
    return html`<div class="row storage">
      <span class="grow muted"
        >${l10n.t('Kept readings: {0} of {1}', formatBytes(bytes), formatBytes(capBytes))}</span
      >
      ${textButton(l10n.t('Clear'), () => send({ type: 'clearStoredReadings' }))}
    </div>`;
  }

  #row(row: ConversationSummary, rows: readonly ConversationSummary[], active: boolean): TemplateResult {
    const tabIndex = active ? 0 : -1;
    if (row.id === this.renamedId) {
      return html`<li class="row">
        <input
          class="grow"
          aria-label=${l10n.t('New title of {0}', row.title)}
          .value=${row.title}
          @keydown=${(event: KeyboardEvent) => this.#onRenameKey(event, row)}
          @blur=${(event: FocusEvent) => this.#rename(row, event.target)}
        />
      </li>`;
    }
    return html`<li
      class="row"
      data-id=${row.id}
      @keydown=${(event: KeyboardEvent) => this.#onRowKey(event, row, rows)}
    >
      <button
        type="button"
        class="conversation grow"
        tabindex=${tabIndex}
        aria-current=${row.id === this.shownId ? 'true' : nothing}
        @focus=${() => {
          this.activeId = row.id;
        }}
        @click=${() => {
          send({ type: 'openConversation', conversationId: row.id });
          this.#close();
        }}
      >
        <span class="title">${row.title}</span>
        <span class="muted">${formatTime(row.changedAt)}</span>
      </button>
      ${iconButton({
        icon: 'edit',
        label: l10n.t('Rename {0}', row.title),
        tabIndex,
        onClick: () => void this.#startRename(row.id),
      })}
      ${iconButton({
        icon: 'export',
        label: l10n.t('Export {0}', row.title),
        tabIndex,
        onClick: () => send({ type: 'exportConversation', conversationId: row.id }),
      })}
      ${iconButton({
        icon: 'trash',
        label: l10n.t('Delete {0}', row.title),
        tabIndex,
        onClick: () => this.#delete(row, rows),
      })}
    </li>`;
  }

  /** Those whose title has what is searched, then those whose text has it. */
  #rows(): readonly ConversationSummary[] {
    const search = this.search.trim().toLocaleLowerCase();
    if (search === '') return this.conversations;
    const byTitle = this.conversations.filter(({ title }) => title.toLocaleLowerCase().includes(search));
    const known = new Set(byTitle.map(({ id }) => id));
    const byText = this.foundIds
      .filter((id) => !known.has(id))
      .flatMap((id) => this.conversations.find((other) => other.id === id) ?? []);
    return [...byTitle, ...byText];
  }

  readonly #onSearch = (event: InputEvent): void => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const text = event.target.value;
    this.search = text;
    this.foundIds = [];
    clearTimeout(this.#timer);
    if (text.trim() === '') return;
    this.#timer = setTimeout(() => {
      void find(text.trim()).then((ids) => {
        if (this.search === text) this.foundIds = ids;
      });
    }, searchPauseMilliseconds);
  };

  #onRowKey(event: KeyboardEvent, row: ConversationSummary, rows: readonly ConversationSummary[]): void {
    const at = rows.indexOf(row);
    if (event.key === 'ArrowDown') this.#focusRow(rows[at + 1]?.id, event);
    else if (event.key === 'ArrowUp') {
      if (at === 0) this.focusSearch();
      else this.#focusRow(rows[at - 1]?.id, event);
    } else if (event.key === 'Home') this.#focusRow(rows[0]?.id, event);
    else if (event.key === 'End') this.#focusRow(rows.at(-1)?.id, event);
    else if (event.key === 'F2') void this.#startRename(row.id);
    else if (event.key === 'Delete') this.#delete(row, rows);
  }

  #focusRow(id: string | undefined, event?: Event): void {
    event?.preventDefault();
    if (id === undefined) return;
    for (const item of this.querySelectorAll<HTMLElement>('li[data-id]')) {
      if (item.dataset['id'] === id) item.querySelector<HTMLElement>('.conversation')?.focus();
    }
  }

  async #startRename(id: string): Promise<void> {
    this.renamedId = id;
    await this.updateComplete;
    const input = this.querySelector<HTMLInputElement>('li input');
    input?.focus();
    input?.select();
  }

  #onRenameKey(event: KeyboardEvent, row: ConversationSummary): void {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === 'Escape') this.renamedId = null;
    else if (event.key === 'Enter') this.#rename(row, event.target);
    else return;
    // The key would press the button that gets the focus.
    event.preventDefault();
    void this.updateComplete.then(() => this.#focusRow(row.id));
  }

  #rename(row: ConversationSummary, input: EventTarget | null): void {
    // Taking the input away blurs it, too.
    if (this.renamedId !== row.id || !(input instanceof HTMLInputElement)) return;
    this.renamedId = null;
    const title = input.value.trim();
    if (title !== '' && title !== row.title) {
      send({ type: 'renameConversation', conversationId: row.id, title });
    }
  }

  /** The row goes when the host has deleted it, and the focus to its neighbour before that. */
  #delete(row: ConversationSummary, rows: readonly ConversationSummary[]): void {
    const at = rows.indexOf(row);
    const neighbour = rows[at + 1] ?? rows[at - 1];
    if (neighbour === undefined) this.focusSearch();
    else this.#focusRow(neighbour.id);
    send({ type: 'deleteConversation', conversationId: row.id });
  }

  #close(): void {
    this.dispatchEvent(new CustomEvent('conversations-close'));
  }
}
customElements.define('ask-conversations', ConversationList);

declare global {
  interface HTMLElementTagNameMap {
    'ask-conversations': ConversationList;
  }
}
