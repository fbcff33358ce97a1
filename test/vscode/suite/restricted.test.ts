import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { foreignSettings } from '../workspaces.ts';

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
});
