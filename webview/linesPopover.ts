/** The element `ask-lines`: the lines behind a link, next to it while it is pointed at or has the focus. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { LinesPreview, Place } from '../extension/protocol/chat.ts';
import { formatLines } from './format.ts';
import { showLines } from './host.ts';
import { LightElement } from './lightElement.ts';

export interface Preview {
  readonly place: Place;
  readonly anchor: Element;
}

const openPauseMilliseconds = 250;
/** Long enough to move the pointer from the link into the popover. */
const closePauseMilliseconds = 300;
const gapPixels = 4;

export class LinesPopover extends LightElement {
  static override properties = { lines: { state: true }, folders: { attribute: false } };

  declare folders: readonly string[];
  declare private lines: LinesPreview | null;

  #timer: ReturnType<typeof setTimeout> | undefined;
  #anchor: Element | null = null;

  constructor() {
    super();
    this.folders = [];
    this.lines = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.popover = 'manual';
    this.setAttribute('role', 'tooltip');
    this.addEventListener('mouseenter', () => clearTimeout(this.#timer));
    this.addEventListener('mouseleave', () => this.preview(null));
  }

  /** Null: the link is left. Both take effect after a pause, so that passing over a link shows nothing. */
  preview(preview: Preview | null): void {
    clearTimeout(this.#timer);
    this.#timer =
      preview === null
        ? setTimeout(() => this.close(), closePauseMilliseconds)
        : setTimeout(() => void this.#open(preview), openPauseMilliseconds);
  }

  /** Whether it was open. */
  close(): boolean {
    clearTimeout(this.#timer);
    this.#anchor = null;
    if (this.lines === null) return false;
    this.lines = null;
    this.hidePopover();
    return true;
  }

  override render(): TemplateResult | typeof nothing {
    if (this.lines === null) return nothing;
    const { startLine, text } = this.lines;
    return html`<p class="muted">${formatLines(this.lines, this.folders)}</p>
      <div class="code" role="group" aria-label=${l10n.t('Lines')}>
        ${text
          .split('\n')
          .map(
            (line, at) =>
              html`<div class="code-line">
                <span class="line-number">${startLine + at}</span><code>${line}</code>
              </div>`,
          )}
      </div>`;
  }

  async #open({ place, anchor }: Preview): Promise<void> {
    this.#anchor = anchor;
    const lines = await showLines(place);
    if (this.#anchor !== anchor || !anchor.isConnected) return;
    if (lines === null) {
      this.close();
      return;
    }
    this.lines = lines;
    await this.updateComplete;
    this.showPopover();
    this.#moveTo(anchor.getBoundingClientRect());
  }

  /** Below the link, or above it where there is more room. */
  #moveTo(anchor: DOMRect): void {
    const below = window.innerHeight - anchor.bottom;
    const above = anchor.top;
    const onTop = below < this.offsetHeight + gapPixels && above > below;
    const room = Math.max(0, (onTop ? above : below) - 2 * gapPixels);
    this.style.maxBlockSize = `${room}px`;
    this.style.left = `${Math.max(gapPixels, Math.min(anchor.left, window.innerWidth - this.offsetWidth - gapPixels))}px`;
    this.style.top = onTop
      ? `${anchor.top - this.offsetHeight - gapPixels}px`
      : `${anchor.bottom + gapPixels}px`;
  }
}
customElements.define('ask-lines', LinesPopover);

declare global {
  interface HTMLElementTagNameMap {
    'ask-lines': LinesPopover;
  }
}
