/** The element `ask-composer`: where a question is typed, with the files and folders that it names. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';
import type { MentionItem } from '../extension/protocol/chat.ts';
import type { Draft, Pin } from '../extension/protocol/conversation.ts';
import { icon } from './buttons.ts';
import { emptyDraft, pinKey, withPins } from './draftState.ts';
import { formatPin } from './format.ts';
import { complete } from './host.ts';
import { LightElement } from './lightElement.ts';
import { mentionAt, replaceMention } from './mention.ts';

/** Shown of what the host finds. */
const maxCompletions = 12;
let lastId = 0;

/**
 * Fires `composer-submit` and `composer-change` (detail: Draft), and `composer-cancel` (Escape where `cancellable`)
 * and `composer-escape` where it is not. None of them bubbles.
 */
export class Composer extends LightElement {
  static override properties = {
    label: { attribute: false },
    submitLabel: { attribute: false },
    placeholder: { attribute: false },
    folders: { attribute: false },
    initial: { attribute: false },
    previous: { attribute: false },
    cancellable: { attribute: false },
    stop: { attribute: false },
    draft: { state: true },
    completions: { state: true },
    chosen: { state: true },
  };

  declare label: string;
  declare submitLabel: string;
  declare placeholder: string;
  declare folders: readonly string[];
  /** What it begins with; given anew, what is typed is replaced. */
  declare initial: Draft;
  /** Brought back by ArrowUp in an empty input. */
  declare previous: Draft | null;
  declare cancellable: boolean;
  /** Null: nothing runs that could be stopped. */
  declare stop: (() => void) | null;
  declare private draft: Draft;
  declare private completions: readonly MentionItem[];
  declare private chosen: number;

  readonly #id = `composer-${++lastId}`;
  /** Whose completions are shown, or will be when they come; null: none. */
  #asked: string | null = null;

  constructor() {
    super();
    this.placeholder = '';
    this.initial = emptyDraft;
    this.previous = null;
    this.cancellable = false;
    this.stop = null;
    this.draft = emptyDraft;
    this.completions = [];
    this.chosen = 0;
  }

  focusInput(): void {
    this.#input?.focus();
  }

  /** What is typed now. */
  get value(): Draft {
    return this.draft;
  }

  addPins(pins: readonly Pin[]): void {
    this.#change(withPins(this.draft, pins));
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('initial')) this.draft = this.initial;
  }

  override render(): TemplateResult {
    const open = this.completions.length > 0;
    const list = `${this.#id}-list`;
    return html`<form class="composer" @submit=${this.#onSubmit}>
      ${open ? this.#completionList(list) : nothing} ${this.#chips()}
      <textarea
        id=${this.#id}
        rows="1"
        aria-label=${this.label}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls=${open ? list : nothing}
        aria-activedescendant=${open ? `${list}-${this.chosen}` : nothing}
        placeholder=${this.placeholder}
        .value=${live(this.draft.text)}
        @input=${this.#onInput}
        @keydown=${this.#onKey}
        @blur=${this.#closeCompletions}
        @click=${this.#updateCompletions}
      ></textarea>
      <div class="row">
        <span class="muted grow hint">${l10n.t('@ names a file or folder')}</span>
        ${
          this.stop === null
            ? nothing
            : html`<button type="button" class="secondary" @click=${this.stop}>${l10n.t('Stop')}</button>`
        }
        ${
          this.cancellable
            ? html`<button type="button" class="secondary" @click=${() => this.#fire('composer-cancel')}>
                ${l10n.t('Cancel')}
              </button>`
            : nothing
        }
        <button type="submit" class="primary" ?disabled=${this.draft.text.trim() === ''}>
          ${this.submitLabel}
        </button>
      </div>
    </form>`;
  }

  #chips(): TemplateResult | typeof nothing {
    const { pins } = this.draft;
    if (pins.length === 0) return nothing;
    return html`<ul class="chips" aria-label=${l10n.t('Read first')}>
      ${repeat(pins, pinKey, (pin, at) => {
        const name = formatPin(pin, this.folders);
        return html`<li>
          <button
            type="button"
            class="chip"
            aria-label=${l10n.t('Remove {0}', name)}
            @click=${() => this.#removePin(at)}
            @keydown=${(event: KeyboardEvent) => this.#onChipKey(event, at)}
          >
            <span>${name}</span> ${icon('close')}
          </button>
        </li>`;
      })}
    </ul>`;
  }

  #completionList(id: string): TemplateResult {
    return html`<ul class="completions" role="listbox" id=${id} aria-label=${l10n.t('Files and folders')}>
      ${this.completions.map(
        ({ pin, label }, at) =>
          html`<li
            role="option"
            id="${id}-${at}"
            aria-selected=${at === this.chosen}
            @mousedown=${(event: Event) => {
              // The input keeps the focus.
              event.preventDefault();
              this.#choose(at);
            }}
          >
            ${icon(pin.kind === 'folder' ? 'folder' : 'file')} <span>${label}</span>
          </li>`,
      )}
    </ul>`;
  }

  readonly #onSubmit = (event: Event): void => {
    event.preventDefault();
    this.#submit();
  };

  readonly #onInput = (): void => {
    this.#change({ ...this.draft, text: this.#input?.value ?? '' });
    void this.#updateCompletions();
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    // While an input method composes a word, its keys are its own.
    if (event.isComposing) return;
    if (this.completions.length > 0 && this.#onCompletionKey(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'Escape') {
      if (event.defaultPrevented) return;
      this.#fire(this.cancellable ? 'composer-cancel' : 'composer-escape');
    } else if (event.key === 'ArrowUp' && this.draft.text === '' && this.previous !== null) {
      event.preventDefault();
      this.#change(withPins({ ...this.draft, text: this.previous.text }, this.previous.pins));
    } else if (event.key === 'Backspace' && this.#input?.selectionEnd === 0) {
      this.#focusChip(this.draft.pins.length - 1);
    }
  };

  /** Whether the key was one of the list's. */
  #onCompletionKey(key: string): boolean {
    const count = this.completions.length;
    switch (key) {
      case 'ArrowDown':
        this.chosen = (this.chosen + 1) % count;
        return true;
      case 'ArrowUp':
        this.chosen = (this.chosen + count - 1) % count;
        return true;
      case 'Enter':
      case 'Tab':
        this.#choose(this.chosen);
        return true;
      case 'Escape':
        this.#closeCompletions();
        return true;
      default:
        return false;
    }
  }

  #onChipKey(event: KeyboardEvent, at: number): void {
    if (event.key === 'Delete' || event.key === 'Backspace') this.#removePin(at);
    else if (event.key === 'ArrowLeft') this.#focusChip(at - 1);
    else if (event.key === 'ArrowRight') this.#focusChip(at + 1);
    else return;
    event.preventDefault();
  }

  readonly #updateCompletions = async (): Promise<void> => {
    const mention = this.#mention();
    if (mention === null) {
      this.#closeCompletions();
      return;
    }
    if (mention.text === this.#asked && this.completions.length > 0) return;
    this.#asked = mention.text;
    const items = await complete(mention.text);
    // An answer to what is no longer typed is of no use, nor one that comes after the list was closed.
    if (this.#asked !== mention.text || this.#mention()?.text !== mention.text) return;
    this.completions = items.slice(0, maxCompletions);
    this.chosen = 0;
  };

  readonly #closeCompletions = (): void => {
    this.#asked = null;
    this.completions = [];
  };

  #choose(at: number): void {
    const item = this.completions[at];
    const mention = this.#mention();
    this.#closeCompletions();
    if (item === undefined || mention === null) return;
    const { text, caret } = replaceMention(this.draft.text, mention, item.label);
    this.#change(withPins({ ...this.draft, text }, [item.pin]));
    void this.updateComplete.then(() => this.#input?.setSelectionRange(caret, caret));
  }

  #mention(): ReturnType<typeof mentionAt> {
    const input = this.#input;
    return input === null ? null : mentionAt(input.value, input.selectionEnd);
  }

  #removePin(at: number): void {
    this.#change({ ...this.draft, pins: this.draft.pins.toSpliced(at, 1) });
    void this.updateComplete.then(() => this.#focusChip(Math.min(at, this.draft.pins.length - 1)));
  }

  /** Past the last chip comes the input. */
  #focusChip(at: number): void {
    const chips = this.querySelectorAll<HTMLElement>('button.chip');
    const chip = Array.from(chips)[Math.max(0, at)];
    (chip ?? this.#input)?.focus();
  }

  #submit(): void {
    const draft = { ...this.draft, text: this.draft.text.trim() };
    if (draft.text === '') return;
    this.draft = emptyDraft;
    this.#closeCompletions();
    this.#fire('composer-submit', draft);
  }

  #change(draft: Draft): void {
    this.draft = draft;
    this.#fire('composer-change', draft);
  }

  #fire(name: string, detail?: Draft): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  get #input(): HTMLTextAreaElement | null {
    return this.querySelector('textarea');
  }
}
customElements.define('ask-composer', Composer);

declare global {
  interface HTMLElementTagNameMap {
    'ask-composer': Composer;
  }
}
