/** The extension's side as the page sees it: messages there and back, and what the editor keeps for a reload. */
import type {
  CheckedLink,
  FromPage,
  LinesPreview,
  MentionItem,
  Place,
  ToPage,
} from '../extension/protocol/chat.ts';

interface VsCodeApi {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** It can be acquired once in the life of a page. */
const api = acquireVsCodeApi();

export function send(message: FromPage): void {
  api.postMessage(message);
}

export function loadSaved(): unknown {
  return api.getState();
}

export function save(state: unknown): void {
  api.setState(state);
}

/** Files and folders whose path fits what was typed after an "@". */
export async function complete(text: string): Promise<readonly MentionItem[]> {
  return (await ask('completions', (request) => ({ type: 'complete', request, text }))).items;
}

/** Those of the texts that name a place that exists. */
export async function checkLinks(texts: readonly string[]): Promise<readonly CheckedLink[]> {
  return (await ask('links', (request) => ({ type: 'checkLinks', request, texts }))).links;
}

/** Null: the place is not there any more. */
export async function showLines(place: Place): Promise<LinesPreview | null> {
  return (await ask('lines', (request) => ({ type: 'showLines', request, place }))).lines;
}

/** Ids of the conversations that contain a text, best first. */
export async function find(text: string): Promise<readonly string[]> {
  return (await ask('found', (request) => ({ type: 'find', request, text }))).conversationIds;
}

/** Hands on every message that is not the answer to a question. */
export function listen(onMessage: (message: Exclude<ToPage, Reply>) => void): void {
  window.addEventListener('message', ({ data: message }: MessageEvent<ToPage>) => {
    if ('request' in message) {
      waiting.get(message.request)?.(message);
      waiting.delete(message.request);
    } else {
      onMessage(message);
    }
  });
}

type Question = Extract<FromPage, { readonly request: number }>;
type Reply = Extract<ToPage, { readonly request: number }>;
type ReplyOfType<T extends Reply['type']> = Extract<Reply, { readonly type: T }>;

let lastRequest = 0;
const waiting = new Map<number, (reply: Reply) => void>();

function ask<T extends Reply['type']>(
  type: T,
  question: (request: number) => Question,
): Promise<ReplyOfType<T>> {
  const request = ++lastRequest;
  return new Promise((resolve) => {
    waiting.set(request, (reply) => {
      if (isOfType(reply, type)) resolve(reply);
    });
    send(question(request));
  });
}

function isOfType<T extends Reply['type']>(reply: Reply, type: T): reply is ReplyOfType<T> {
  return reply.type === type;
}
