/** A file server on this machine whose every answer is chosen by the test. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { stat } from 'node:fs/promises';

export interface FaultyServer {
  readonly url: string;
  /** The Range header of each request so far, "" where there was none. */
  readonly ranges: readonly string[];
  /** Each request so far: "HEAD /path", with " as TOKEN" where one was sent. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** The first request gets the first answer and so on; the last answer is given to all that follow. */
export async function startFaultyServer(...answers: readonly [Answer, ...Answer[]]): Promise<FaultyServer> {
  const ranges: string[] = [];
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)]!;
    ranges.push(request.headers.range ?? '');
    const token = request.headers.authorization?.replace(/^Bearer/, ' as') ?? '';
    requests.push(`${request.method} ${request.url}${token}`);
    void answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/models/file.gguf`,
    ranges,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Reproducible bytes that do not repeat. */
export function testContent(bytes: number, seed = 'a'): Buffer {
  return createHash('shake256', { outputLength: bytes }).update(seed).digest();
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What a well-behaved server does: ranges, If-Range and a strong ETag. */
export function serve(content: Buffer, extraHeaders: Readonly<Record<string, string>> = {}): Answer {
  const etag = `"${sha256Of(content).slice(0, 16)}"`;
  return (request, response) => {
    const ifRange = request.headers['if-range'];
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    if (start === undefined || (ifRange !== undefined && ifRange !== etag)) {
      response.writeHead(200, { 'content-length': content.length, etag, ...extraHeaders });
      response.end(content);
      return;
    }
    const from = Number(start);
    response.writeHead(206, {
      ...{ 'content-length': content.length - from, etag, ...extraHeaders },
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    });
    response.end(content.subarray(from));
  };
}

/** What the hub does for one file: it names size, sha256 and commit, and sends the file from another address. */
export function hubFile(content: Buffer, path: string, commit = 'c'.repeat(40)): Answer {
  const told = {
    ...{ 'x-repo-commit': commit, 'x-linked-size': `${content.length}` },
    ...{ 'x-linked-etag': `"${sha256Of(content)}"`, location: '/cdn' },
  };
  return (request, response) => {
    if (request.url === '/cdn') return serve(content)(request, response);
    const known = [path, path.replace('/resolve/main/', `/resolve/${commit}/`)].includes(request.url ?? '');
    return known ? status(302, told)(request, response) : hubError(404, 'EntryNotFound')(request, response);
  };
}

export function hubError(code: number, name: string): Answer {
  return status(code, { 'x-error-code': name });
}

export function ignoreRange(content: Buffer): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.end(content);
  };
}

/** Promises everything from where it was asked, and breaks the connection once `bytes` in all lie in the part file. */
export function dropAt(content: Buffer, bytes: number, partPath: string): Answer {
  return stopAt(content, bytes, partPath, (response) => response.destroy());
}

/** Ends the body as if it were whole, without having stated its length. */
export function endAt(content: Buffer, bytes: number): Answer {
  return (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(from === 0 ? 200 : 206, from === 0 ? {} : { 'content-range': range });
    response.end(content.subarray(from, Math.max(from, bytes)));
  };
}

/** Sends no more once `bytes` in all lie in the part file, then calls `then`. */
export function stopAt(
  content: Buffer,
  bytes: number,
  partPath: string,
  then: (response: ServerResponse) => void,
): Answer {
  return async (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': content.length - from,
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
      etag: `"${sha256Of(content).slice(0, 16)}"`,
    });
    response.write(content.subarray(from, bytes));
    await fileReaches(partPath, bytes);
    then(response);
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => {
    response.writeHead(code, headers);
    response.end('no');
  };
}

export function wrongRange(content: Buffer): Answer {
  return (_, response) => {
    response.writeHead(206, { 'content-range': `bytes 7-${content.length - 1}/${content.length}` });
    response.end(content.subarray(7));
  };
}

/** Waits until a file has at least so many bytes. */
export async function fileReaches(path: string, bytes: number): Promise<void> {
  for (;;) {
    const size = await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size >= bytes) return;
    await sleep(5);
  }
}
