import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { lightBulbQuestion } from '../../../extension/editor/lightBulb.ts';
import { foreignSettings } from '../workspaces.ts';
import { commitFile } from './gitFolder.ts';

describe('Restricted Mode', () => {
  it('is what the window is in', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });

  for (const [id, value] of Object.entries(foreignSettings)) {
    it(`leaves ${id} of the workspace out`, () => {
      const configuration = vscode.workspace.getConfiguration();
      assert.notEqual(configuration.inspect(id)?.defaultValue, value);
      assert.equal(configuration.get(id), configuration.inspect(id)?.defaultValue);
    });
  }

  it('runs no git for the question why lines are there', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder !== undefined);
    const path = 'sailing/weather.py';
    commitFile(folder.uri.fsPath, path, 'Lower the wind');
    const uri = vscode.Uri.joinPath(folder.uri, path);
    const asked = await lightBulbQuestion({ kind: 'why' }, uri, new vscode.Range(5, 0, 6, 0));
    assert.match(asked?.question ?? '', /^Why is the code in sailing\/weather\.py:6-6 here/);
    assert.doesNotMatch(asked?.question ?? '', /commit|Lower/);
  });
});
