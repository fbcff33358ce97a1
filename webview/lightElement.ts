import { LitElement } from 'lit';

/** An element without a shadow: the page's style sheets reach it, and ids join its parts for assistive technology. */
export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
