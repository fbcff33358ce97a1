import { css } from 'lit';

/**
 * Colours of code come from those that every theme of the editor sets for text in views, since the colours of its own
 * syntax highlighting are not given to pages. In high contrast some of them are the foreground itself.
 */
export const answerStyles = css`
  :host {
    display: block;
    overflow-wrap: anywhere;
    --code-foreground: var(--vscode-editor-foreground, CanvasText);
    --code-token-comment: var(--vscode-descriptionForeground, var(--code-foreground));
    --code-token-keyword: var(--vscode-debugTokenExpression-boolean, var(--code-foreground));
    --code-token-string: var(--vscode-debugTokenExpression-string, var(--code-foreground));
    --code-token-constant: var(--vscode-debugTokenExpression-number, var(--code-foreground));
    --code-token-function: var(--vscode-symbolIcon-functionForeground, var(--code-foreground));
    --code-token-link: var(--vscode-textLink-foreground, var(--code-foreground));
    --code-token-inserted: var(--vscode-debugTokenExpression-number, var(--code-foreground));
    --code-token-deleted: var(--vscode-errorForeground, var(--code-foreground));
    --code-token-changed: var(--vscode-debugTokenExpression-boolean, var(--code-foreground));
  }
  .block {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 4em;
  }
  .block + .block {
    margin-block-start: 0.75em;
  }
  .block > :first-child {
    margin-block-start: 0;
  }
  .block > :last-child {
    margin-block-end: 0;
  }
  .plain {
    white-space: pre-wrap;
  }
  h3,
  h4,
  h5,
  h6 {
    margin-block: 0.75em 0.5em;
    font-size: 1.1em;
    font-weight: 600;
  }
  ul,
  ol {
    padding-inline-start: 1.6em;
  }
  blockquote {
    margin-inline: 0;
    padding-inline-start: 0.8em;
    border-inline-start: 3px solid var(--vscode-textBlockQuote-border, currentColor);
  }
  hr {
    border: 0;
    border-block-start: 1px solid var(--vscode-widget-border, currentColor);
  }
  table {
    border-collapse: collapse;
  }
  th,
  td {
    padding: 0.2em 0.5em;
    border: 1px solid var(--vscode-widget-border, currentColor);
    text-align: start;
  }
  [data-align='center'] {
    text-align: center;
  }
  [data-align='right'] {
    text-align: right;
  }
  code {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 0.95em);
  }
  :not(pre) > code {
    unicode-bidi: isolate;
  }
  .code {
    margin-block: 0.75em;
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
    border-radius: 4px;
    background: var(--vscode-editor-background, Canvas);
    color: var(--code-foreground);
  }
  .code-header {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25em;
    align-items: center;
    min-block-size: 2em;
    padding-inline: 0.6em 0.25em;
    font-size: 0.9em;
  }
  .code-language {
    flex: 1;
    unicode-bidi: isolate;
  }
  button {
    padding: 0.15em 0.5em;
    border: 1px solid transparent;
    border-radius: 3px;
    background: transparent;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  button:hover {
    border-color: var(--vscode-contrastActiveBorder, transparent);
    background: var(--vscode-toolbar-hoverBackground, transparent);
  }
  pre {
    margin: 0;
    padding: 0.4em 0.6em 0.6em;
    overflow: auto;
    direction: ltr;
    overflow-wrap: normal;
    tab-size: 4;
  }
  [role='link'] {
    color: var(--vscode-textLink-foreground, LinkText);
    text-decoration: underline;
    cursor: pointer;
  }
  [role='link']:hover {
    color: var(--vscode-textLink-activeForeground, LinkText);
  }
  /* Drawn inside, since what leaves a block is not painted. */
  :focus-visible {
    outline: 1px solid var(--vscode-focusBorder, currentColor);
    outline-offset: -1px;
  }
  .hidden-character {
    padding-inline: 0.15em;
    border: 1px solid var(--vscode-editorWarning-foreground, currentColor);
    border-radius: 2px;
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 0.8em;
    unicode-bidi: isolate;
  }
  .token-comment {
    color: var(--code-token-comment);
    font-style: italic;
  }
  .token-keyword {
    color: var(--code-token-keyword);
  }
  .token-string,
  .token-string-expression {
    color: var(--code-token-string);
  }
  .token-constant {
    color: var(--code-token-constant);
  }
  .token-function {
    color: var(--code-token-function);
  }
  .token-link {
    color: var(--code-token-link);
  }
  .token-inserted {
    color: var(--code-token-inserted);
  }
  .token-deleted {
    color: var(--code-token-deleted);
  }
  .token-changed {
    color: var(--code-token-changed);
  }
  .italic {
    font-style: italic;
  }
  .bold {
    font-weight: bold;
  }
`;
