import { css } from 'lit';

/** Buttons, inputs, chips, bars: in the colours of the editor's own. */
export const controlStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
  }
  .grow {
    flex: 1 1 0;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .muted {
    color: var(--vscode-descriptionForeground, GrayText);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
  }
  .toolbar {
    display: flex;
    flex-wrap: wrap;
    gap: 2px;
  }
  button {
    max-inline-size: 100%;
    border: 1px solid transparent;
    border-radius: 3px;
    font: inherit;
    text-align: start;
    overflow-wrap: anywhere;
    cursor: pointer;
  }
  button.primary {
    padding: 3px 10px;
    border-color: var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
    background: var(--vscode-button-background);
    color: var(--vscode-button-foreground);
  }
  button.primary:hover {
    background: var(--vscode-button-hoverBackground);
  }
  button.secondary {
    padding: 3px 10px;
    border-color: var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
    background: var(--vscode-button-secondaryBackground, transparent);
    color: var(--vscode-button-secondaryForeground, inherit);
  }
  button.secondary:hover {
    background: var(--vscode-button-secondaryHoverBackground, transparent);
  }
  button.secondary[aria-pressed='true'] {
    border-color: var(--vscode-inputOption-activeBorder, currentColor);
    background: var(--vscode-inputOption-activeBackground, transparent);
    color: var(--vscode-inputOption-activeForeground, inherit);
  }
  button:disabled {
    opacity: 0.5;
    cursor: default;
  }
  button.link {
    padding: 0;
    background: none;
    color: var(--vscode-textLink-foreground, LinkText);
    text-decoration: underline;
  }
  button.link.muted {
    color: var(--vscode-descriptionForeground, GrayText);
  }
  button.link:hover {
    color: var(--vscode-textLink-activeForeground, LinkText);
  }
  .icon-button {
    padding: 2px;
    background: none;
    color: var(--vscode-icon-foreground, inherit);
    line-height: 0;
  }
  .icon-button:hover {
    background: var(--vscode-toolbar-hoverBackground, transparent);
    border-color: var(--vscode-contrastActiveBorder, transparent);
  }
  textarea,
  input {
    inline-size: 100%;
    padding: 4px 6px;
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
    border-radius: 3px;
    background: var(--vscode-input-background);
    color: var(--vscode-input-foreground);
    font: inherit;
  }
  textarea::placeholder,
  input::placeholder {
    color: var(--vscode-input-placeholderForeground);
    opacity: 1;
  }
  button:focus-visible,
  summary:focus-visible,
  textarea:focus-visible,
  input:focus-visible,
  [tabindex]:focus-visible {
    outline: 1px solid var(--vscode-focusBorder, currentColor);
    outline-offset: -1px;
  }
  button.primary:focus-visible {
    outline-offset: 1px;
  }
  summary {
    border-radius: 3px;
    cursor: pointer;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 2px;
    max-inline-size: 100%;
    padding: 1px 6px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
    background: var(--vscode-badge-background);
    color: var(--vscode-badge-foreground);
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }
  .badge {
    padding: 0 6px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 8px;
    background: var(--vscode-badge-background);
    color: var(--vscode-badge-foreground);
    font-size: 0.85em;
  }
  .progress,
  .bar {
    overflow: hidden;
    block-size: 4px;
    border-radius: 2px;
    background: var(--vscode-scrollbarSlider-background, transparent);
    outline: 1px solid var(--vscode-contrastBorder, transparent);
  }
  .progress > div,
  .bar > div {
    block-size: 100%;
    background: var(--vscode-progressBar-background, Highlight);
  }
  /* Nothing is known of the end: a part of the bar moves, or all of it is dimmed where motion is not wanted. */
  .progress.unknown > div {
    opacity: 0.5;
  }
  @media (prefers-reduced-motion: no-preference) {
    body:not(.vscode-reduce-motion) .progress.unknown > div {
      inline-size: 30%;
      opacity: 1;
      animation: ask-progress 1.6s ease-in-out infinite alternate;
    }
  }
  @keyframes ask-progress {
    to {
      translate: 233%;
    }
  }
`;
