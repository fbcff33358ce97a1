import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import type { EngineView } from '../protocol/chat.ts';

export interface StatusBar {
  show(engine: EngineView): void;
  dispose(): void;
}

/** One item that says how the engine is; a click opens the menu. */
export function createStatusBar(): StatusBar {
  const item = vscode.window.createStatusBarItem('askCodebase.status', vscode.StatusBarAlignment.Right, 50);
  item.name = 'Ask Codebase';
  item.command = commands.showMenu;
  return {
    show(engine) {
      const state = stateText(engine);
      item.text = `${icons[engine.state]} ${state}`;
      const parts = [state, engine.model, engine.device].filter((part) => part !== undefined);
      item.tooltip = [parts.join(' · '), ...(engine.details ?? [])].join('\n');
      item.accessibilityInformation = { label: `Ask Codebase: ${state}`, role: 'button' };
      item.show();
    },
    dispose: () => item.dispose(),
  };
}

const icons = {
  stopped: '$(comment-discussion)',
  loading: '$(loading~spin)',
  ready: '$(comment-discussion)',
  reading: '$(loading~spin)',
  answering: '$(loading~spin)',
  failed: '$(warning)',
} as const satisfies Record<EngineView['state'], string>;

function stateText({ state, percent, indexing }: EngineView): string {
  switch (state) {
    case 'stopped':
      return vscode.l10n.t('Ask: stopped');
    case 'loading':
      return vscode.l10n.t('Ask: loading');
    case 'ready':
      if (indexing !== undefined) return vscode.l10n.t('Ask: indexing {0} %', Math.round(indexing));
      return vscode.l10n.t('Ask: ready');
    case 'reading':
      return vscode.l10n.t('Ask: reading {0} %', Math.round(percent ?? 0));
    case 'answering':
      return vscode.l10n.t('Ask: answering');
    case 'failed':
      return vscode.l10n.t('Ask: failed');
  }
}
