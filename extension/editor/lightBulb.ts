/** What the light bulb offers: questions about selected lines, and about an error. They are answered in the panel. */
import * as vscode from 'vscode';
import { lightBulbCommand } from '../contributions.ts';
import type { LinesPin } from '../protocol/conversation.ts';
import { safeName } from '../terminal/safeText.ts';
import { blame } from './blame.ts';
import { placeOfUri, workspaceFolders } from './workspaceFolders.ts';

export interface LightBulbQuestion {
  readonly question: string;
  readonly pin: LinesPin;
}

type Offer =
  | { readonly kind: 'explain' | 'why' }
  | { readonly kind: 'problem'; readonly message: string; readonly isError: boolean };

export type OfferedPlace = [offer: Offer, uri: vscode.Uri, range: vscode.Range];

/** Of one place in the menu. */
const mostProblems = 3;
const mostCommits = 5;
/** Characters of what others wrote within a question. */
const longestQuoted = 300;

const kinds = [vscode.CodeActionKind.QuickFix, vscode.CodeActionKind.Empty] as const;

export function registerLightBulb(ask: (asked: LightBulbQuestion) => Promise<void>): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeActionsProvider(
      { scheme: 'file' },
      { provideCodeActions },
      { providedCodeActionKinds: kinds },
    ),
    // Not in package.json: only what the light bulb offers calls it.
    vscode.commands.registerCommand(lightBulbCommand, async (...offered: OfferedPlace) => {
      const asked = await lightBulbQuestion(...offered);
      if (asked !== undefined) await ask(asked);
    }),
  );
}

/** What is asked about an offer, or undefined when its file is not in the workspace any more. */
export async function lightBulbQuestion(
  ...[offer, uri, range]: OfferedPlace
): Promise<LightBulbQuestion | undefined> {
  const document = await vscode.workspace.openTextDocument(uri);
  const pin = linesPin(document, range);
  return pin === undefined ? undefined : { question: await questionOf(offer, document, range, pin), pin };
}

function provideCodeActions(
  document: vscode.TextDocument,
  range: vscode.Range | vscode.Selection,
  { diagnostics }: vscode.CodeActionContext,
): vscode.CodeAction[] {
  if (placeOfUri(document.uri) === undefined) return [];
  const { Error, Warning } = vscode.DiagnosticSeverity;
  const action = (title: string, kind: vscode.CodeActionKind, offer: Offer, about: vscode.Range) => {
    const made = new vscode.CodeAction(title, kind);
    const place: OfferedPlace = [offer, document.uri, about];
    made.command = { title, command: lightBulbCommand, arguments: place };
    return made;
  };
  const problems = diagnostics
    .filter(({ severity }) => severity === Error || severity === Warning)
    .slice(0, mostProblems)
    .map((diagnostic) => {
      const isError = diagnostic.severity === Error;
      const title = isError
        ? vscode.l10n.t('Explain This Error with Ask Codebase')
        : vscode.l10n.t('Explain This Warning with Ask Codebase');
      const offer = { kind: 'problem', message: diagnostic.message, isError } as const;
      const made = action(title, vscode.CodeActionKind.QuickFix, offer, diagnostic.range);
      made.diagnostics = [diagnostic];
      return made;
    });
  // A range that is no selection is that of a problem under the pointer.
  if (!(range instanceof vscode.Selection) || range.isEmpty) return problems;
  const { Empty } = vscode.CodeActionKind;
  return [
    ...problems,
    action(vscode.l10n.t('Explain with Ask Codebase'), Empty, { kind: 'explain' }, range),
    action(vscode.l10n.t('Ask Codebase Why This Is Here'), Empty, { kind: 'why' }, range),
  ];
}

async function questionOf(
  offer: Offer,
  document: vscode.TextDocument,
  range: vscode.Range,
  pin: LinesPin,
): Promise<string> {
  const where = `${pin.path}:${pin.startLine}-${pin.endLine}`;
  switch (offer.kind) {
    case 'explain': {
      const text = document.getText(range);
      return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(text)
        ? vscode.l10n.t('What is {0} in {1}, and how is it used?', text, where)
        : vscode.l10n.t('What does the code in {0} do, and how?', where);
    }
    case 'problem': {
      const message = quoted(offer.message);
      return offer.isError
        ? vscode.l10n.t('What does the error "{0}" in {1} mean, and what causes it?', message, where)
        : vscode.l10n.t('What does the warning "{0}" in {1} mean, and what causes it?', message, where);
    }
    case 'why': {
      const commits = (await commitsOf(document, pin))
        .slice(0, mostCommits)
        .map(({ subject, day }) => `${day} "${quoted(subject)}"`);
      const why = vscode.l10n.t('Why is the code in {0} here, and what needs it?', where);
      if (commits.length === 0) return why;
      return `${why} ${vscode.l10n.t('It was written with these commits: {0}', commits.join('; '))}`;
    }
  }
}

/** None in Restricted Mode: git runs programs that a repository's own settings name. */
async function commitsOf(document: vscode.TextDocument, pin: LinesPin) {
  const folder = workspaceFolders().find(({ name }) => name === pin.workspace);
  if (!vscode.workspace.isTrusted || folder === undefined) return [];
  const { path, startLine, endLine } = pin;
  const unsaved = document.isDirty ? { unsaved: document.getText() } : {};
  return blame({ rootPath: folder.rootPath, path, startLine, endLine, ...unsaved });
}

/** Whole lines; one that a selection only touches at its beginning is not among them. */
function linesPin(document: vscode.TextDocument, { start, end }: vscode.Range): LinesPin | undefined {
  const place = placeOfUri(document.uri);
  if (place === undefined) return undefined;
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { kind: 'lines', ...place, startLine: start.line + 1, endLine: last + 1 };
}

function quoted(text: string): string {
  const line = safeName(text.replace(/\s+/gu, ' ')).trim();
  return line.length > longestQuoted ? `${line.slice(0, longestQuoted)}…` : line;
}
