import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('Restricted Mode', () => {
  it('is what the window is in', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });
});
