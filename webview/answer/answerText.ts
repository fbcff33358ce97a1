/** The element `ask-answer`: a Markdown answer that is not trusted and may still be growing. */
import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import type { CheckedLink, Place } from '../../extension/protocol/chat.ts';
import { answerStyles } from './answerStyles.ts';
import { cutAllBlocks, cutClosedBlocks } from './blocks.ts';
import { addCodeButtons, colourCode } from './codeBlock.ts';
import { shownWhileOpen } from './openEnd.ts';
import { renderBlock } from './renderBlock.ts';

/** What the element fires, each bubbling out of its shadow root. */
export interface AnswerEvents {
  /** A link was followed. */
  'ask-open': Place;
  /** Texts in finished blocks that look like places of files, none of them asked before. */
  'ask-check-links': readonly string[];
  /** A link is pointed at or has the focus; null when that is over. */
  'ask-preview': { readonly place: Place; readonly anchor: Element } | null;
  /** The code of a block. */
  'ask-insert': string;
  'ask-copy': string;
}

/** Asked of the host for one answer. */
const maxCandidates = 500;
/** A long block that is still open is rendered less often, so that the whole takes time in proportion to its length. */
const openCharactersPerMillisecond = 200;
const longestPauseMilliseconds = 1_000;

interface Block {
  readonly element: HTMLElement;
  source: string;
  /** It has its links, its buttons and its colours. */
  finished: boolean;
}

/**
 * Give it the whole text each time: what was appended is found, and of the blocks before only the last is rendered anew.
 * A text that does not begin with the one before replaces it. While `streaming`, changes are shown once a frame.
 * `updateComplete` waits for the colours of the code too.
 */
export class AnswerText extends LitElement {
  static override properties = {
    text: { type: String },
    streaming: { type: Boolean },
    links: { attribute: false },
  };
  static override styles = answerStyles;

  /** Markdown. */
  declare text: string;
  /** More text is to come. */
  declare streaming: boolean;
  /** Of the texts of `ask-check-links`, those that the host found; only these become links. */
  declare links: readonly CheckedLink[];

  #shownText = '';
  /** How much of the text is in blocks that no further text can change. */
  #settledLength = 0;
  /**
   * The blocks behind these. The settled are nodes alone: a part of a string keeps the whole of it, so that their sources
   * would each keep the text as it was when they were cut.
   */
  #openBlocks: Block[] = [];
  #places = new Map<string, Place>();
  /** Spans of finished blocks, by their text. */
  #candidates = new Map<string, HTMLElement[]>();
  #asked = new Set<string>();
  #colouring: Promise<void> = Promise.resolve();
  #lastRender = 0;

  constructor() {
    super();
    this.text = '';
    this.streaming = false;
    this.links = [];
  }

  override render(): TemplateResult {
    return html`<div
      @click=${this.#open}
      @keydown=${this.#onKey}
      @mouseover=${this.#showPreview}
      @focusin=${this.#showPreview}
      @mouseout=${this.#hidePreview}
      @focusout=${this.#hidePreview}
    ></div>`;
  }

  protected override async scheduleUpdate(): Promise<void> {
    if (this.streaming && this.hasUpdated) {
      const open = this.#shownText.length - this.#settledLength;
      const pause = Math.min(longestPauseMilliseconds, open / openCharactersPerMillisecond);
      const left = this.#lastRender + pause - performance.now();
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
      await new Promise(requestAnimationFrame);
    }
    await super.scheduleUpdate();
  }

  protected override updated(changed: ReadonlyMap<PropertyKey, unknown>): void {
    if (changed.has('links')) this.#applyLinks();
    if (changed.has('text') || changed.has('streaming')) this.#showText();
  }

  protected override async getUpdateComplete(): Promise<boolean> {
    const done = await super.getUpdateComplete();
    await this.#colouring;
    return done;
  }

  #showText(): void {
    if (!this.text.startsWith(this.#shownText)) this.#clear();
    this.#shownText = this.text;
    this.#lastRender = performance.now();
    const tail = this.text.slice(this.#settledLength);
    const { closed, length } = cutClosedBlocks(tail);
    const rest = tail.slice(length);
    const open = this.streaming
      ? [shownWhileOpen(rest)].filter((source) => source !== '')
      : cutAllBlocks(rest);
    const sources = [...closed, ...open];
    sources.forEach((source, at) => this.#showBlock(at, source));
    for (const { element } of this.#openBlocks.splice(sources.length)) element.remove();
    const complete = this.#openBlocks.slice(0, this.streaming ? closed.length : sources.length);
    this.#openBlocks.splice(0, closed.length);
    this.#settledLength += length;
    this.#askFor(complete.flatMap((block) => this.#finish(block)));
  }

  #clear(): void {
    this.renderRoot.firstElementChild!.replaceChildren();
    this.#openBlocks = [];
    this.#settledLength = 0;
    this.#candidates.clear();
    this.#asked.clear();
  }

  #showBlock(at: number, source: string): void {
    const shown = this.#openBlocks[at];
    if (shown?.source === source) return;
    if (shown === undefined) {
      const element = document.createElement('div');
      element.className = 'block';
      element.append(renderBlock(source));
      this.renderRoot.firstElementChild!.append(element);
      this.#openBlocks.push({ element, source, finished: false });
    } else {
      shown.element.replaceChildren(renderBlock(source));
      shown.source = source;
      shown.finished = false;
    }
  }

  /** The texts of its candidates. */
  #finish(block: Block): string[] {
    if (block.finished) return [];
    block.finished = true;
    for (const frame of block.element.querySelectorAll<HTMLElement>('.code')) this.#finishCode(frame);
    return Array.from(block.element.querySelectorAll<HTMLElement>('.candidate'), (candidate) => {
      const text = candidate.textContent;
      const others = this.#candidates.get(text);
      if (others === undefined) this.#candidates.set(text, [candidate]);
      else others.push(candidate);
      setLink(candidate, this.#places.has(text));
      return text;
    });
  }

  #finishCode(frame: HTMLElement): void {
    addCodeButtons(
      frame,
      (code) => this.#fire('ask-copy', code),
      (code) => this.#fire('ask-insert', code),
    );
    // One after the other, in the order of the text. A grammar that cannot be loaded leaves the code as it is.
    this.#colouring = this.#colouring
      .then(() => colourCode(frame))
      .catch((error: unknown) => console.warn(error));
  }

  #askFor(candidates: readonly string[]): void {
    const texts = new Set<string>();
    for (const text of candidates) {
      if (this.#asked.size >= maxCandidates) break;
      if (this.#asked.has(text)) continue;
      this.#asked.add(text);
      texts.add(text);
    }
    if (texts.size > 0) this.#fire('ask-check-links', [...texts]);
  }

  #applyLinks(): void {
    const before = this.#places;
    this.#places = new Map(this.links.map(({ text, place }) => [text, place]));
    for (const text of new Set([...before.keys(), ...this.#places.keys()])) {
      for (const candidate of this.#candidates.get(text) ?? []) setLink(candidate, this.#places.has(text));
    }
  }

  #linkAt(event: Event): { readonly place: Place; readonly anchor: Element } | null {
    const anchor = event.target instanceof Element ? event.target.closest('[role=link]') : null;
    const place = this.#places.get(anchor?.textContent ?? '');
    return anchor === null || place === undefined ? null : { place, anchor };
  }

  #open(event: Event): void {
    const link = this.#linkAt(event);
    if (link === null) return;
    event.preventDefault();
    this.#fire('ask-open', link.place);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter' || event.key === ' ') this.#open(event);
    else if (event.key === 'Escape') this.#hidePreview(event);
  }

  #showPreview(event: Event): void {
    const link = this.#linkAt(event);
    if (link !== null) this.#fire('ask-preview', link);
  }

  #hidePreview(event: Event): void {
    if (this.#linkAt(event) !== null) this.#fire('ask-preview', null);
  }

  #fire<Name extends keyof AnswerEvents>(name: Name, detail: AnswerEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
customElements.define('ask-answer', AnswerText);

function setLink(candidate: HTMLElement, isLink: boolean): void {
  if (isLink) {
    candidate.setAttribute('role', 'link');
    candidate.tabIndex = 0;
  } else {
    candidate.removeAttribute('role');
    candidate.removeAttribute('tabindex');
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ask-answer': AnswerText;
  }
}
