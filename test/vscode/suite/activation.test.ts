import assert from 'node:assert/strict';
import * as vscode from 'vscode';

/** `publisher.name` of package.json. */
const extensionId = 'ask-codebase.ask-codebase';

describe('activation', () => {
  it('is there, and does not run before it is used', () => {
    assert.equal(theExtension().isActive, false);
  });

  it('starts when one of its commands is called', async () => {
    await vscode.commands.executeCommand('askCodebase.showLog');
    assert.ok(theExtension().isActive);
  });
});

function theExtension(): vscode.Extension<unknown> {
  const extension = vscode.extensions.getExtension(extensionId);
  assert.ok(extension !== undefined, `VS Code does not know ${extensionId}`);
  return extension;
}
