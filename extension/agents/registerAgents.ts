/** The doors in VS Code for others: its chat and its agents. */
import * as vscode from 'vscode';
import { agents } from '../contributions.ts';
import type { AskWindow } from '../views/askWindow.ts';
import { createChatHandler, followupProvider } from './chatParticipant.ts';
import { createTool } from './languageModelTool.ts';

/** VS Code as far as it has chat and agents: other builds of it have none, and are served without. */
export interface AgentHost {
  readonly chat?: Pick<typeof vscode.chat, 'createChatParticipant'>;
  readonly lm?: Partial<Pick<typeof vscode.lm, 'registerTool'>>;
}

export function registerAgents(
  ask: AskWindow['ask'],
  log: vscode.LogOutputChannel,
  host: AgentHost = vscode,
): vscode.Disposable {
  const registered: { readonly dispose: () => unknown }[] = [];
  const tool = host.lm?.registerTool?.(agents.tool, createTool(ask));
  if (tool !== undefined) registered.push(tool);
  const onError = (error: unknown): void => log.error(error instanceof Error ? error : String(error));
  const participant = host.chat?.createChatParticipant(agents.participant, createChatHandler(ask, onError));
  if (participant !== undefined) {
    participant.iconPath = new vscode.ThemeIcon('comment-discussion');
    participant.followupProvider = followupProvider;
    registered.push(participant);
  }
  return vscode.Disposable.from(...registered);
}
