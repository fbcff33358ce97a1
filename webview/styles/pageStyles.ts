import { css } from 'lit';

/** The page's own parts, from the header to the status line. */
export const pageStyles = css`
  html,
  body {
    block-size: 100%;
    margin: 0;
    padding: 0;
  }
  body {
    color: var(--vscode-foreground, CanvasText);
    background: var(--vscode-sideBar-background, Canvas);
    font-family: var(--vscode-font-family, sans-serif);
    font-size: var(--vscode-font-size, 13px);
    line-height: 1.45;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol {
    margin: 0;
    padding: 0;
    font-size: inherit;
  }
  ul {
    list-style: none;
  }
  ask-page {
    display: flex;
    flex-direction: column;
    block-size: 100%;
  }
  main {
    display: flex;
    flex: 1 1 0;
    flex-direction: column;
    min-block-size: 0;
    min-inline-size: 0;
    /* In a very low view all of it scrolls, so that nothing is out of reach. */
    overflow: hidden auto;
  }
  main > * {
    flex-shrink: 0;
  }
  header {
    padding: 4px 8px;
    border-block-end: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
  }
  header h1 {
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .notices {
    display: grid;
    gap: 4px;
    padding: 6px 8px;
    max-block-size: 30%;
    overflow: auto;
  }
  .notice {
    display: flex;
    gap: 6px;
    align-items: start;
    padding: 4px 8px;
    border: 1px solid var(--vscode-inputValidation-warningBorder, currentColor);
    border-radius: 3px;
    overflow-wrap: anywhere;
  }
  .notice > button {
    flex: none;
  }
  .notice > span:last-child {
    min-inline-size: 0;
  }
  .transcript,
  ask-conversations {
    flex: 1 1 0;
    min-block-size: 4em;
    overflow: hidden auto;
  }
  /* The end is followed by the page itself. */
  .transcript.following {
    overflow-anchor: none;
  }
  .jump {
    position: relative;
    block-size: 0;
  }
  .jump button {
    position: absolute;
    inset-block-end: 6px;
    inset-inline-end: 12px;
    background: var(--vscode-editorWidget-background, Canvas);
    color: var(--vscode-editorWidget-foreground, CanvasText);
    border-color: var(--vscode-widget-border, var(--vscode-contrastBorder, currentColor));
  }
  .composer {
    position: relative;
    display: grid;
    gap: 4px;
  }
  ask-composer {
    display: block;
  }
  ask-composer.main {
    padding: 6px 8px;
    border-block-start: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
  }
  .composer textarea {
    field-sizing: content;
    resize: none;
    /* Eight lines, the padding and the border. */
    max-block-size: calc(8lh + 10px);
  }
  .composer .chips {
    max-block-size: 7em;
    overflow: auto;
  }
  .composer .hint {
    font-size: 0.9em;
  }
  .completions {
    position: absolute;
    z-index: 1;
    inset-block-end: 100%;
    inset-inline: 0;
    max-block-size: min(40vh, 20em);
    overflow: hidden auto;
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, currentColor));
    border-radius: 3px;
    background: var(--vscode-editorSuggestWidget-background, Canvas);
    color: var(--vscode-editorSuggestWidget-foreground, CanvasText);
  }
  .completions li {
    display: flex;
    gap: 4px;
    padding: 2px 6px;
    overflow-wrap: anywhere;
    cursor: pointer;
  }
  .completions li > span:last-child {
    min-inline-size: 0;
  }
  .completions [aria-selected='true'] {
    background: var(--vscode-editorSuggestWidget-selectedBackground, transparent);
    color: var(--vscode-editorSuggestWidget-selectedForeground, inherit);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  footer {
    display: flex;
    max-block-size: 20%;
    overflow: auto;
    gap: 4px;
    padding: 2px 8px 4px;
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }
  footer > span:last-child {
    min-inline-size: 0;
  }
  .conversations {
    display: grid;
    gap: 8px;
    padding: 8px;
  }
  .conversations li {
    flex-wrap: nowrap;
    gap: 0;
  }
  .conversation {
    display: grid;
    padding: 3px 6px;
    background: none;
    color: inherit;
  }
  .conversation:hover {
    background: var(--vscode-list-hoverBackground, transparent);
    color: var(--vscode-list-hoverForeground, inherit);
  }
  .conversation[aria-current] .title {
    font-weight: 600;
  }
  ask-lines {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: 4px 8px;
    max-inline-size: calc(100vw - 8px);
    overflow: auto;
    border: 1px solid var(--vscode-editorHoverWidget-border, var(--vscode-contrastBorder, currentColor));
    border-radius: 3px;
    background: var(--vscode-editorHoverWidget-background, Canvas);
    color: var(--vscode-editorHoverWidget-foreground, CanvasText);
  }
  ask-lines .code {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 12px);
  }
  .code-line {
    display: flex;
    gap: 1ch;
  }
  .code-line code {
    font: inherit;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    tab-size: 4;
  }
  .line-number {
    min-inline-size: 4ch;
    text-align: end;
    color: var(--vscode-descriptionForeground, GrayText);
    user-select: none;
  }
`;
