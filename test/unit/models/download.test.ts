import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download } from '../../../extension/models/download.ts';
import { attempt, type Outcome } from './attempt.ts';
import {
  dropAt,
  endAt,
  fileReaches,
  ignoreRange,
  serve,
  sha256Of,
  startFaultyServer,
  status,
  stopAt,
  testContent,
  wrongRange,
  type Answer,
  type FaultyServer,
} from './faultyServer.ts';

const content = testContent(200_000);
const otherContent = testContent(200_000, 'b');
const half = 100_000;

let folder: string;
let server: FaultyServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

const part = () => join(folder, 'file.part');

interface Case {
  readonly name: string;
  readonly answers: () => readonly [Answer, ...Answer[]];
  /** What an earlier process left. */
  readonly part?: Buffer;
  readonly etag?: string;
  readonly idleMilliseconds?: number;
  readonly result: Outcome['result'];
  readonly message?: RegExp;
  readonly ranges: readonly string[];
  readonly waits?: readonly number[];
  readonly files?: readonly string[];
}

const goodEtag = `"${sha256Of(content).slice(0, 16)}"`;
const fromHalf = `bytes=${half}-`;

const cases: readonly Case[] = [
  { name: 'a server that behaves', answers: () => [serve(content)], result: 'whole', ranges: [''] },
  {
    name: 'the connection breaks, and the rest is asked for',
    answers: () => [dropAt(content, half, part()), serve(content)],
    result: 'whole',
    ranges: ['', fromHalf],
    waits: [1000],
  },
  {
    name: 'the body ends early as if it were whole',
    answers: () => [endAt(content, half), serve(content)],
    result: 'whole',
    ranges: ['', fromHalf],
  },
  {
    name: 'the body always ends at the same byte',
    answers: () => [endAt(content, half)],
    result: 'downloadFailed',
    message: /ended after 100000 of 200000 bytes, 5 times in a row/,
    ranges: ['', fromHalf, fromHalf, fromHalf, fromHalf, fromHalf],
    waits: [1000, 2000, 4000, 8000, 16000],
    files: ['file.part'],
  },
  {
    name: 'nothing comes any more, and the rest is asked for',
    answers: () => [stopAt(content, half, part(), () => undefined), serve(content)],
    idleMilliseconds: 300,
    result: 'whole',
    ranges: ['', fromHalf],
  },
  {
    name: 'nothing comes at all',
    answers: () => [() => undefined],
    idleMilliseconds: 50,
    result: 'downloadFailed',
    message: /sent nothing for 0.05 s, 5 times/,
    ranges: ['', '', '', '', ''],
  },
  {
    name: 'the part of an earlier process is continued',
    answers: () => [serve(content)],
    part: content.subarray(0, half),
    etag: goodEtag,
    result: 'whole',
    ranges: [fromHalf],
  },
  {
    name: 'the file changed since that part: If-Range brings the new one from its beginning',
    answers: () => [serve(content)],
    part: otherContent.subarray(0, half),
    etag: '"older"',
    result: 'whole',
    ranges: [fromHalf],
  },
  {
    name: 'the file changed, and the server does not know If-Range',
    answers: () => [
      (request, response) => {
        delete request.headers['if-range'];
        return serve(content)(request, response);
      },
    ],
    part: otherContent.subarray(0, half),
    etag: '"older"',
    result: 'whole',
    ranges: [fromHalf, ''],
  },
  {
    name: 'a whole part that was never given its name',
    answers: () => [status(500)],
    part: content,
    result: 'whole',
    ranges: [],
  },
  {
    name: 'a part longer than the file',
    answers: () => [serve(content)],
    part: Buffer.concat([content, content]),
    result: 'whole',
    ranges: [''],
  },
  {
    name: 'a part with wrong content is found out and removed',
    answers: () => [serve(content)],
    part: otherContent.subarray(0, half),
    result: 'checksumMismatch',
    ranges: [fromHalf],
    files: [],
  },
  {
    name: 'ranges are ignored',
    answers: () => [ignoreRange(content)],
    part: content.subarray(0, half),
    result: 'whole',
    ranges: [fromHalf],
  },
  {
    name: 'another range than asked for',
    answers: () => [wrongRange(content), serve(content)],
    part: content.subarray(0, half),
    result: 'whole',
    ranges: [fromHalf, ''],
  },
  {
    name: 'another range than asked for, always',
    answers: () => [wrongRange(content)],
    result: 'downloadFailed',
    message: /request from byte 0 with "bytes 7-/,
    ranges: ['', '', '', '', ''],
    files: [],
  },
  {
    name: 'HTTP 416',
    answers: () => [status(416), serve(content)],
    part: content.subarray(0, half),
    result: 'whole',
    ranges: [fromHalf, ''],
  },
  {
    name: 'wrong content of the right size',
    answers: () => [serve(otherContent)],
    result: 'checksumMismatch',
    message: new RegExp(`${sha256Of(otherContent)}, expected ${sha256Of(content)}`),
    ranges: [''],
    files: [],
  },
  {
    name: 'a smaller file',
    answers: () => [serve(content.subarray(0, half))],
    result: 'downloadFailed',
    message: /it has 100000 bytes, 200000 expected/,
    ranges: [''],
    files: [],
  },
  {
    name: 'more bytes than announced anywhere',
    answers: () => [endAt(Buffer.concat([content, content]), 300_000)],
    result: 'downloadFailed',
    message: /sends more than the 200000 bytes/,
    ranges: [''],
  },
  ...[
    { code: 401, message: /HTTP 401 \(it asks for a login\)/ },
    { code: 403, message: /HTTP 403 \(access is forbidden\)/ },
    { code: 404, message: /HTTP 404 \(there is no such file\)/ },
    { code: 418, message: /HTTP 418/ },
  ].map(({ code, message }) => ({
    name: `HTTP ${code} ends it at once`,
    answers: (): [Answer] => [status(code)],
    result: 'downloadFailed' as const,
    message,
    ranges: [''],
    waits: [],
  })),
  {
    name: 'HTTP 429, then well: the wait is the one the server asks for',
    answers: () => [status(429, { 'retry-after': '7' }), serve(content)],
    result: 'whole',
    ranges: ['', ''],
    waits: [7000],
  },
  {
    name: 'HTTP 429 with an endless wait is cut to a minute',
    answers: () => [status(429, { 'retry-after': '86400' }), serve(content)],
    result: 'whole',
    ranges: ['', ''],
    waits: [60_000],
  },
  {
    name: 'HTTP 503 until a date that is past',
    answers: () => [status(503, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), serve(content)],
    result: 'whole',
    ranges: ['', ''],
    waits: [0],
  },
  {
    name: 'HTTP 500, then well',
    answers: () => [status(500), serve(content)],
    result: 'whole',
    ranges: ['', ''],
    waits: [2000],
  },
  {
    name: 'HTTP 500 for ever',
    answers: () => [status(500)],
    result: 'downloadFailed',
    message: /HTTP 500, 5 times in a row/,
    ranges: ['', '', '', '', ''],
  },
  {
    name: 'a redirect',
    answers: () => [status(302, { location: '/elsewhere' }), serve(content)],
    result: 'whole',
    ranges: ['', ''],
    waits: [],
  },
  {
    name: 'a redirect loop',
    answers: () => [status(302, { location: '/models/file.gguf' })],
    result: 'downloadFailed',
    message: /redirects more than 10 times/,
    ranges: Array<string>(11).fill(''),
    waits: [],
  },
  {
    name: 'a redirect to nowhere',
    answers: () => [status(302, { location: 'ftp://example.invalid/file' })],
    result: 'downloadFailed',
    message: /without TLS/,
    ranges: [''],
  },
  {
    name: 'the hub vouches for the file in its redirect',
    answers: () => [
      status(302, { location: '/cdn', 'x-linked-etag': `"${sha256Of(content)}"` }),
      serve(content),
    ],
    result: 'whole',
    ranges: ['', ''],
  },
  {
    name: 'the hub has another file: not a byte of it is fetched',
    answers: () => [
      status(302, { location: '/cdn', 'x-linked-etag': `"${sha256Of(otherContent)}"` }),
      serve(otherContent),
    ],
    result: 'downloadFailed',
    message: new RegExp(`the hub has another file now \\(sha256 ${sha256Of(otherContent)}`),
    ranges: [''],
    files: [],
  },
];

describe('a server that misbehaves', () => {
  it.each(cases)('$name', async (testCase) => {
    if (testCase.part !== undefined) await writeFile(part(), testCase.part);
    if (testCase.etag !== undefined) await writeFile(`${part()}.etag`, testCase.etag);
    const { idleMilliseconds } = testCase;
    const outcome = await attempt({
      folder,
      expected: content,
      answers: testCase.answers(),
      ...(idleMilliseconds === undefined ? {} : { idleMilliseconds }),
    });
    expect(`${outcome.result} ${outcome.message}`).toMatch(testCase.result);
    if (testCase.message !== undefined) expect(outcome.message).toMatch(testCase.message);
    expect(outcome.ranges).toEqual(testCase.ranges);
    if (testCase.waits !== undefined) expect(outcome.waits).toEqual(testCase.waits);
    if (testCase.files !== undefined) expect(outcome.files).toEqual(testCase.files);
  });

  it('says that nobody listens', async () => {
    const dead = await startFaultyServer(status(500));
    await dead.close();
    const request = { url: dead.url, path: join(folder, 'file'), bytes: 1, sha256: sha256Of(content) };
    const result = download(
      { ...request, signal: new AbortController().signal },
      { idleMilliseconds: 1000, wait: () => Promise.resolve() },
    );
    await expect(result).rejects.toMatchObject({
      reason: 'downloadFailed',
      message: /ECONNREFUSED/,
    });
  });
});

describe('cancelling', () => {
  it('keeps what arrived, and the next try continues there', async () => {
    const controller = new AbortController();
    const slow = attempt({
      folder,
      expected: content,
      answers: [stopAt(content, half, part(), () => undefined)],
      signal: controller.signal,
    });
    await fileReaches(part(), half);
    controller.abort();
    expect(await slow).toMatchObject({ result: 'cancelled', files: ['file.part', 'file.part.etag'] });
    expect(await attempt({ folder, expected: content, answers: [serve(content)] })).toMatchObject({
      result: 'whole',
      ranges: [fromHalf],
    });
  });

  it('also ends a wait between two tries', async () => {
    server = await startFaultyServer(status(503, { 'retry-after': '3600' }));
    const controller = new AbortController();
    const request = { url: server.url, path: join(folder, 'file'), bytes: 1, sha256: sha256Of(content) };
    const result = download({ ...request, signal: controller.signal });
    while (server.ranges.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => controller.abort(), 50);
    await expect(result).rejects.toMatchObject({ reason: 'cancelled' });
  });
});
