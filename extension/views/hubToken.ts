/** The user's token for Hugging Face, in VS Code's own store for secrets: no setting holds it, and no log. */
import * as vscode from 'vscode';

export interface HubToken {
  readonly get: () => Promise<string | undefined>;
  /** Asks the user for it. */
  readonly set: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

const key = 'huggingFaceToken';

export function keepHubToken(secrets: vscode.SecretStorage): HubToken {
  return {
    get: async () => secrets.get(key),
    async set() {
      const token = await vscode.window.showInputBox({
        title: vscode.l10n.t('Set Hugging Face Token'),
        prompt: vscode.l10n.t(
          'For models that are given only to those who accepted their conditions. It may be one that can only read. It is kept by VS Code and sent to the hub, or to the mirror that is set, and to nobody else.',
        ),
        password: true,
        ignoreFocusOut: true,
        // What cannot stand in a header is no token.
        validateInput: (text) =>
          /^[\x21-\x7e]*$/.test(text.trim()) ? undefined : vscode.l10n.t('A token has no spaces.'),
      });
      if (token === undefined || token.trim() === '') return;
      await secrets.store(key, token.trim());
      void vscode.window.showInformationMessage(vscode.l10n.t('The Hugging Face token is set.'));
    },
    async remove() {
      await secrets.delete(key);
      void vscode.window.showInformationMessage(vscode.l10n.t('The Hugging Face token is removed.'));
    },
  };
}
