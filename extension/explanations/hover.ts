/** Beside the language server's hover: what is stored of a symbol, or one line that offers to explain it. */
import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import { uriOfPlace } from '../editor/places.ts';
import { readSettings } from '../editor/settings.ts';
import { workspaceFolders } from '../editor/workspaceFolders.ts';
import type { LineRange } from '../protocol/nouns.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import type { ExplanationStore } from './explanationStore.ts';
import { namedPlaceAt, storedAt, type Stored } from './lookUp.ts';
import { escapeMarkdown } from './modelText.ts';
import type { NamedPlace } from './symbolPlaces.ts';
import { symbolArguments } from './symbolArguments.ts';

export function createHoverProvider(store: ExplanationStore, grammars: Grammars): vscode.HoverProvider {
  return {
    async provideHover(document, position, token) {
      if (document.uri.scheme !== 'file' || !readSettings(document).settings.hover) return undefined;
      const named = await namedPlaceAt(document, position, grammars);
      if (named === undefined || token.isCancellationRequested) return undefined;
      const cancelled = new AbortController();
      const listening = token.onCancellationRequested(() => cancelled.abort());
      try {
        const stored = await storedAt(named.place, store, cancelled.signal);
        if (cancelled.signal.aborted) return undefined;
        return new vscode.Hover(await contentOf(named.place, stored), named.range);
      } catch (error) {
        if (cancelled.signal.aborted) return undefined;
        throw error;
      } finally {
        listening.dispose();
      }
    },
  };
}

async function contentOf(place: NamedPlace, stored: Stored | undefined): Promise<vscode.MarkdownString> {
  const markdown = new vscode.MarkdownString();
  // Of commands, this one; it checks what it is given.
  markdown.isTrusted = { enabledCommands: [commands.explainSymbol] };
  if (stored === undefined) {
    const label = vscode.l10n.t('Explain {0} with Ask Codebase', place.name);
    return markdown.appendMarkdown(commandLink(label, place));
  }
  const { explanation, valid } = stored;
  const text = escapeMarkdown(explanation.text);
  const places = await placesOf(explanation);
  if (valid) return markdown.appendMarkdown([text, places].filter((part) => part !== '').join('\n\n'));
  // For the colour alone: the text cannot hold any HTML, since each of its signs is a character reference.
  markdown.supportHtml = true;
  const old = escapeMarkdown(vscode.l10n.t('Its files have changed since:'));
  const again = commandLink(vscode.l10n.t('Explain again'), place);
  const grey = `<span style="color:var(--vscode-disabledForeground);">${old} ${text}</span>`;
  return markdown.appendMarkdown([grey, again].join('\n\n'));
}

async function placesOf({ definition, uses }: Stored['explanation']): Promise<string> {
  const defined = definition === undefined ? undefined : await placeLink(definition);
  const used = (await Promise.all(uses.map(placeLink))).filter((link) => link !== undefined);
  const parts = [
    ...(defined === undefined ? [] : [vscode.l10n.t('Defined in {0}', defined)]),
    ...(used.length === 0 ? [] : [vscode.l10n.t('used in {0}', used.join(', '))]),
  ];
  return parts.join(' · ');
}

/** Undefined for a place that is not there any more. */
async function placeLink({ workspace, path, startLine }: LineRange): Promise<string | undefined> {
  const folders = workspaceFolders();
  const uri = await uriOfPlace({ workspace, path }, folders);
  if (uri === undefined) return undefined;
  const shown = folders.length > 1 ? `${workspace}/${path}` : path;
  return `[${escapeMarkdown(`${shown}:${startLine}`)}](${uri.with({ fragment: `L${startLine}` }).toString()})`;
}

function commandLink(label: string, place: NamedPlace): string {
  const args = encodeURIComponent(JSON.stringify([symbolArguments(place)]));
  return `[${escapeMarkdown(label)}](command:${commands.explainSymbol}?${args})`;
}
