import { css } from 'lit';

/** Questions and answers, and what stands below them. */
export const transcriptStyles = css`
  .exchanges {
    padding: 8px;
  }
  ask-exchange {
    display: block;
  }
  /* Those far away are neither laid out nor painted. */
  ask-exchange:not(:last-child) {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 20em;
  }
  ask-exchange + ask-exchange {
    margin-block-start: 16px;
    padding-block-start: 16px;
    border-block-start: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
  }
  article {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
  .question {
    display: grid;
    gap: 4px;
    padding: 6px 8px;
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
    border-radius: 4px;
    background: var(--vscode-input-background);
    color: var(--vscode-input-foreground);
  }
  .question h2 {
    font-weight: 600;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .empty {
    display: grid;
    gap: 12px;
  }
  .empty h2,
  article h3 {
    font-weight: 600;
  }
  .examples,
  .activity,
  .facts,
  .failure {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 6px;
    overflow-wrap: anywhere;
  }
  .activity.row {
    display: flex;
  }
  .activity.card {
    gap: 10px;
    padding: 10px;
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, currentColor));
    border-radius: 4px;
  }
  .failure {
    padding: 8px;
    border: 1px solid var(--vscode-inputValidation-errorBorder, currentColor);
    border-radius: 4px;
  }
  .failure p:first-child {
    display: flex;
    gap: 6px;
  }
  .failure .codicon {
    color: var(--vscode-errorForeground, currentColor);
  }
  .facts {
    padding-block-start: 8px;
    border-block-start: 1px dashed var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
  }
  .facts > button,
  .evidence > button {
    justify-self: start;
  }
  .evidence > * + * {
    margin-block-start: 6px;
  }
  .sources {
    display: grid;
    gap: 6px;
    list-style: none;
  }
  .sources .row {
    flex-wrap: nowrap;
    align-items: start;
  }
  .queue {
    display: grid;
    gap: 4px;
    padding-block-start: 4px;
    list-style: none;
  }
  .path,
  .lines-link {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 0.95em;
    unicode-bidi: isolate;
    overflow-wrap: anywhere;
  }
  .figures,
  .details {
    font-size: 0.9em;
  }
`;
