import { ref } from 'lit/directives/ref.js';
import type { DirectiveResult } from 'lit/directive.js';

/** How much of its bar an element fills; null leaves that to the style sheet. Set on the element, since the page's policy forbids style attributes. */
export function barWidth(percent: number | null): DirectiveResult {
  return ref((element) => {
    if (element instanceof HTMLElement) element.style.inlineSize = percent === null ? '' : `${percent}%`;
  });
}
