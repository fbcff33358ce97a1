import * as vscode from 'vscode';
import { views } from '../contributions.ts';
import type { Chat } from '../conversations/chat.ts';
import type { Pin } from '../protocol/conversation.ts';

/** Asks, and shows the panel that answers. */
export async function askInPanel(
  chat: Pick<Chat, 'ask'>,
  question: string,
  pins: readonly Pin[],
): Promise<void> {
  chat.ask(question, pins);
  await vscode.commands.executeCommand(`${views.chat}.focus`);
}
