/**
 * The side panel. VS Code destroys the page when it is hidden and makes it anew when it is shown again: it gets a
 * snapshot, then numbered changes, which are gathered for the length of a frame or two.
 */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { EngineView, FromPage, PageChange, PageState, ToPage } from '../protocol/chat.ts';
import { parsePageMessage } from './pageMessages.ts';

export interface ChatViewParts {
  readonly extensionUri: vscode.Uri;
  readonly state: () => PageState;
  readonly onMessage: (message: Exclude<FromPage, { readonly type: 'ready' | 'resync' }>) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Changes wait this long for others, milliseconds. */
const gatherMs = 30;

export class ChatView implements vscode.WebviewViewProvider {
  readonly #parts: ChatViewParts;
  #view: vscode.WebviewView | undefined;
  /** Of the message sent last to this page; undefined before its first snapshot, and while there is no page. */
  #sequence: number | undefined;
  #waiting: PageChange[] = [];
  #timer: NodeJS.Timeout | undefined;
  #whenReady: ToPage[] = [];

  constructor(parts: ChatViewParts) {
    this.#parts = parts;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const media = vscode.Uri.joinPath(this.#parts.extensionUri, 'dist', 'webview');
    this.#view = view;
    this.#sequence = undefined;
    view.webview.options = { enableScripts: true, localResourceRoots: [media] };
    view.webview.onDidReceiveMessage((message: unknown) => void this.#receive(message));
    view.onDidChangeVisibility(() => {
      if (!view.visible && this.#view === view) this.#sequence = undefined;
    });
    view.onDidDispose(() => {
      if (this.#view === view) this.#view = undefined;
    });
    view.webview.html = pageHtml(view.webview, media);
  }

  get visible(): boolean {
    return this.#view?.visible ?? false;
  }

  change(changes: readonly PageChange[]): void {
    if (this.#view === undefined || this.#sequence === undefined) return;
    for (const change of changes) this.#gather(change);
    this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  changeEngine(engine: EngineView): void {
    this.change([{ change: 'state', state: { engine } }]);
  }

  /** A message that is no change. What is not an answer to a page that is gone waits until the next one is ready. */
  post(message: ToPage): void {
    if (this.#view !== undefined && this.#sequence !== undefined)
      void this.#view.webview.postMessage(message);
    else if (!('request' in message)) this.#whenReady.push(message);
  }

  async #receive(raw: unknown): Promise<void> {
    const message = parsePageMessage(raw);
    if (message === undefined) {
      this.#parts.onError(new Error('The chat page sent something that is no message.'));
      return;
    }
    if (message.type === 'ready' || message.type === 'resync') {
      this.#sendSnapshot();
      return;
    }
    try {
      await this.#parts.onMessage(message);
    } catch (error) {
      this.#parts.onError(error);
    }
  }

  #sendSnapshot(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#sequence = (this.#sequence ?? 0) + 1;
    const messages: ToPage[] = [
      { type: 'snapshot', sequence: this.#sequence, state: this.#parts.state() },
      ...this.#whenReady,
    ];
    this.#whenReady = [];
    for (const message of messages) void this.#view?.webview.postMessage(message);
  }

  /** Text after text of the same exchange is one change, so is the latest of two activities. */
  #gather(change: PageChange): void {
    const last = this.#waiting.at(-1);
    if (last?.change === 'text' && change.change === 'text' && last.exchangeId === change.exchangeId) {
      this.#waiting[this.#waiting.length - 1] = { ...last, text: last.text + change.text };
    } else if (
      last?.change === 'activity' &&
      change.change === 'activity' &&
      last.exchangeId === change.exchangeId
    ) {
      this.#waiting[this.#waiting.length - 1] = change;
    } else {
      this.#waiting.push(change);
    }
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#sequence === undefined || this.#waiting.length === 0) return;
    const message: ToPage = { type: 'changes', sequence: ++this.#sequence, changes: this.#waiting };
    this.#waiting = [];
    void this.#view?.webview.postMessage(message);
  }
}

function pageHtml(webview: vscode.Webview, media: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64url');
  const script = webview.asWebviewUri(vscode.Uri.joinPath(media, 'main.js')).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(media, 'main.css')).toString();
  // Scripts by their origin too: the grammars of code blocks are loaded one by one, and those have no nonce.
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${webview.cspSource}`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const translations = JSON.stringify(vscode.l10n.bundle ?? {});
  return `<!DOCTYPE html>
<html lang="${attribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta id="l10n" data-contents="${attribute(translations)}">
<link rel="stylesheet" href="${attribute(style)}">
<title>Ask Codebase</title>
</head>
<body>
<script type="module" nonce="${nonce}" src="${attribute(script)}"></script>
</body>
</html>`;
}

function attribute(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
