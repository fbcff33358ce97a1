/** The buttons of the page. They are native, so that focus, keys and names are the browser's. */
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';

/** A glyph of the codicon font. It says nothing to a screen reader: what it stands for is said beside it. */
export function icon(name: string): TemplateResult {
  return html`<span class="codicon codicon-${name}" aria-hidden="true"></span>`;
}

export interface IconButton {
  readonly icon: string;
  readonly label: string;
  readonly onClick: () => void;
  /** A toggle, on or off. */
  readonly pressed?: boolean;
  readonly tabIndex?: number;
  readonly className?: string;
}

export function iconButton(button: IconButton): TemplateResult {
  return html`<button
    type="button"
    class="icon-button ${button.className ?? ''}"
    aria-label=${button.label}
    title=${button.label}
    aria-pressed=${button.pressed ?? nothing}
    tabindex=${button.tabIndex ?? nothing}
    @click=${button.onClick}
  >
    ${icon(button.icon)}
  </button>`;
}

export function textButton(
  label: string,
  onClick: () => void,
  kind: 'primary' | 'secondary' | 'link' = 'secondary',
): TemplateResult {
  return html`<button type="button" class=${kind} @click=${onClick}>${label}</button>`;
}
