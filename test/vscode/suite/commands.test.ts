import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { askKey, commands, settings, settingsSection } from '../../../extension/contributions.ts';

describe('what is contributed', () => {
  it('has every command registered once it is active', async () => {
    await vscode.commands.executeCommand(commands.showLog);
    const known = new Set(await vscode.commands.getCommands(true));
    for (const command of Object.values(commands)) assert.ok(known.has(command), command);
  });

  it('has a key that no command of VS Code has', async () => {
    const uri = vscode.Uri.parse('vscode://defaultsettings/keybindings.json');
    const text = (await vscode.workspace.openTextDocument(uri)).getText();
    const bound = text.matchAll(/"key":\s*"([^"]+)"[\s\S]*?"command":\s*"([^"]+)"/gu);
    const others = [...bound].filter(([, key, command]) => key === askKey.key && command !== commands.ask);
    assert.ok(text.length > 10_000);
    assert.deepEqual(
      others.map(([, , command]) => command),
      [],
    );
  });

  for (const setting of Object.values(settings)) {
    it(`has the setting ${setting.key} with its default, as package.json says`, () => {
      const inspected = vscode.workspace.getConfiguration(settingsSection).inspect(setting.key);
      assert.deepEqual(inspected?.defaultValue, setting.default);
    });
  }

  it('goes through every command that needs no choice without an error', async () => {
    for (const name of ['newConversation', 'focusInput', 'stop', 'unmarkEvidence', 'markEvidence'] as const) {
      await vscode.commands.executeCommand(commands[name]);
    }
    await vscode.commands.executeCommand(commands.openSettings);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
