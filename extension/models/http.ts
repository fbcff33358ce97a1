/** HTTP as model files need it: redirects by hand, a token that never leaves its host, and what an answer means. */
import { fillTemplate, type Sentence, type SentenceArgument } from '../protocol/sentence.ts';
import { downloadProblem, downloadTexts } from './downloadProblems.ts';
import { messageOf } from './modelFolder.ts';

const REDIRECT_LIMIT = 10;

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` alone, and no more once a redirect has led away from it. */
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  /** True for an answer that says enough: a redirect in it is not followed. */
  readonly isEnough: (answer: Response) => boolean;
}

/** What the network did, so that it is not taken for a failure of the disk; it may be otherwise the next time. */
export class NetworkError extends Error {}

/** What the server did that it will do again. */
export class ServerError extends Error {
  constructor(readonly problem: Sentence) {
    super(fillTemplate(problem.template, problem.args));
  }
}

/**
 * Follows redirects by hand, since the hub names the file's size and sha256 in the answer that redirects.
 * Throws NetworkError and ServerError.
 */
export async function follow(request: HttpRequest): Promise<Response> {
  const { method = 'GET', token, signal } = request;
  let url = new URL(request.url);
  let authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  for (let hops = 0; hops <= REDIRECT_LIMIT; hops++) {
    const headers = { ...request.headers, ...authorization };
    const answer = await fetch(url, { method, headers, redirect: 'manual', signal }).catch(
      (error: unknown) => {
        throw new NetworkError(networkProblem(error));
      },
    );
    if (request.isEnough(answer)) return answer;
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
    await answer.body?.cancel();
    const next = URL.parse(location, url.href);
    if (next === null) throw new ServerError(downloadProblem(downloadTexts.redirectedNowhere));
    if (next.protocol !== 'https:' && next.protocol !== url.protocol) {
      throw new ServerError(downloadProblem(downloadTexts.withoutTls, next.host));
    }
    if (next.origin !== url.origin) authorization = {};
    url = next;
  }
  throw new ServerError(downloadProblem(downloadTexts.redirectedTooOften, REDIRECT_LIMIT));
}

/** The sha256 that the hub gives in an answer, as 64 lower-case hexadecimal digits. */
export function linkedSha256(headers: Headers): string | undefined {
  return sha256In(headers.get('x-linked-etag'));
}

/** The sha256 in an ETag, if it is one. */
export function sha256In(etag: string | null): string | undefined {
  const digits = etag?.replace(/^W\//, '').replaceAll('"', '').toLowerCase();
  return digits !== undefined && /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/** Whether the same request may be answered otherwise in a while. */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** For example "HTTP 404 (there is no such file)". */
export function statusProblem(status: number): SentenceArgument {
  const meaning = statusMeaning[status];
  return meaning === undefined ? `HTTP ${status}` : downloadProblem(meaning, status);
}

/** What Retry-After asks for, seconds or a date, as milliseconds from now. */
export function retryAfter(headers: Headers): number | undefined {
  const header = headers.get('retry-after');
  if (header === null) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(milliseconds, 0);
}

/** `fetch` hides what happened in `cause`. */
export function networkProblem(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

const statusMeaning: Readonly<Record<number, Parameters<typeof downloadProblem>[0]>> = {
  401: downloadTexts.login,
  403: downloadTexts.forbidden,
  404: downloadTexts.notThere,
  407: downloadTexts.proxyLogin,
  410: downloadTexts.gone,
};
