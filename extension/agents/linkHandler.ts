import * as vscode from 'vscode';
import type { Chat } from '../conversations/chat.ts';
import { askInPanel } from '../views/askInPanel.ts';
import { longestLinkQuestion, parseDeepLink, type DeepLink } from './deepLink.ts';

type Refusal = Extract<DeepLink, { readonly problem: string }>['problem'];

/** Asks the question of a link in a conversation of its own, once the user has seen it and agreed. */
export function createLinkHandler(chat: Pick<Chat, 'ask' | 'startNew'>): vscode.UriHandler {
  let asking = false;
  return {
    async handleUri(uri) {
      // A page could open many: one dialog at a time.
      if (asking) return;
      asking = true;
      try {
        const link = parseDeepLink(uri);
        if ('problem' in link) {
          void vscode.window.showWarningMessage(refusal(link.problem));
          return;
        }
        const ask = vscode.l10n.t('Ask');
        const choice = await vscode.window.showWarningMessage(
          vscode.l10n.t('A link from outside asks this about your code. Ask it?'),
          { modal: true, detail: link.question },
          ask,
        );
        if (choice !== ask) return;
        chat.startNew();
        await askInPanel(chat, link.question, []);
      } finally {
        asking = false;
      }
    },
  };
}

function refusal(problem: Refusal): string {
  switch (problem) {
    case 'unknownPath':
      return vscode.l10n.t('This link to Ask Codebase is not known, and was not followed.');
    case 'noQuestion':
      return vscode.l10n.t('This link to Ask Codebase holds no question.');
    case 'tooLong':
      return vscode.l10n.t(
        'The question of this link to Ask Codebase has more than {0} characters, and was not asked.',
        longestLinkQuestion,
      );
  }
}
