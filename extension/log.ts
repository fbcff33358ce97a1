import * as vscode from 'vscode';

/** The output channel: one for the life of the extension. */
export function createLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('Ask Codebase', { log: true });
}
