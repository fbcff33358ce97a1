import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import { describeFailure } from './describeFailure.ts';

/** A failure of what was not asked in the panel, as the editor's own message; a library that is missing can be got there. */
export async function showFailure(error: unknown): Promise<void> {
  const { message, remedy, actions } = describeFailure(error);
  const offered = actions.filter(({ action }) => action === 'getCuda').map(({ label }) => label);
  const chosen = await vscode.window.showErrorMessage(`${message} ${remedy}`, ...offered);
  if (chosen !== undefined) await vscode.commands.executeCommand(commands.getCuda);
}
