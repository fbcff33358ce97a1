/** References to models, and what a hub on this machine says of them. */
import { describe, expect, it } from 'vitest';
import { resolveModel } from '../../../extension/models/findModel.ts';
import { askHubFile, listHubFiles } from '../../../extension/models/askHub.ts';
import {
  hubFileName,
  hubReferenceText,
  parseHubReference,
  type HubAccess,
} from '../../../extension/models/huggingFace.ts';
import { caught } from './caught.ts';
import { hubError, hubFile, sha256Of, status, testContent, type Answer } from './faultyServer.ts';
import { folder, start } from './hubServers.ts';

const content = testContent(200_000);
const commit = 'c'.repeat(40);
const model = 'hf:owner/repository/tiny.gguf';
const filePath = '/owner/repository/resolve/main/tiny.gguf';
const { signal } = new AbortController();

describe('a reference', () => {
  const place = { owner: 'Owner', repository: 'Model-1.5-GGUF', revision: 'main' };
  const file = 'Model-1.5.Q4_K_M.gguf';

  it.each([
    ['hf:Owner/Model-1.5-GGUF', place],
    ['HF:Owner/Model-1.5-GGUF/', place],
    ['hf://Owner/Model-1.5-GGUF', place],
    [`hf:Owner/Model-1.5-GGUF/${file}`, { ...place, file }],
    [`hf:Owner/Model-1.5-GGUF/q4/${file}`, { ...place, file: `q4/${file}` }],
    [`hf:Owner/Model-1.5-GGUF@v2/${file}`, { ...place, revision: 'v2', file }],
    [`hf:Owner/Model-1.5-GGUF/${file}@v2`, { ...place, revision: 'v2', file }],
    ['hf:Owner/Model-1.5-GGUF@refs%2Fpr%2F1', { ...place, revision: 'refs/pr/1' }],
    ['https://huggingface.co/Owner/Model-1.5-GGUF', place],
    ['https://hf.co/Owner/Model-1.5-GGUF/tree/main', place],
    [`https://huggingface.co/Owner/Model-1.5-GGUF/blob/v2/${file}`, { ...place, revision: 'v2', file }],
    [`https://huggingface.co/Owner/Model-1.5-GGUF/resolve/main/${file}?download=true`, { ...place, file }],
  ])('%s', (text, expected) => {
    const reference = parseHubReference(text)!;
    expect(reference).toEqual(expected);
    expect(parseHubReference(hubReferenceText(reference))).toEqual(expected);
  });

  it.each([
    'SmolLM2-135M-Instruct',
    '/models/hf:x.gguf',
    'C:\\hf.gguf',
    'https://example.invalid/a/b.gguf',
    '',
  ])('is not "%s"', (text) => {
    expect(parseHubReference(text)).toBeUndefined();
  });

  it.each([
    'hf:',
    'hf:owner',
    'hf:owner/repository/readme.md',
    'hf:owner/repository/../../secret.gguf',
    'hf:owner/repository/a\\b.gguf',
    'hf:owner/repository/C:x.gguf',
    'hf:../repository/a.gguf',
    'hf:owner/repository@../a.gguf',
    'hf:owner/repository@a@b/c.gguf',
    'hf:owner/repository@a/c.gguf@b',
    'https://huggingface.co/datasets/owner/repository',
  ])('is badly written as %s', (text) => {
    expect(() => parseHubReference(text)).toThrow(/names no file or repository/);
  });

  it('to one part of several is refused before anything is fetched', () => {
    expect(() => parseHubReference('hf:owner/repository/big-00001-of-00003.gguf')).toThrow(
      /one part of several/,
    );
  });

  it('has a place of its own for each revision', () => {
    const names = ['hf:a/b/c.gguf', 'hf:a/b/c.gguf@v2', 'hf:a/b/v2/c.gguf', 'hf:a/b/c.gguf@refs%2Fpr%2F1']
      .map((text) => parseHubReference(text)!)
      .map(hubFileName);
    expect(names).toEqual([
      'huggingface/a/b/main/c.gguf',
      'huggingface/a/b/v2/c.gguf',
      'huggingface/a/b/main/v2/c.gguf',
      'huggingface/a/b/refs%2Fpr%2F1/c.gguf',
    ]);
  });
});

describe('the word of the hub', () => {
  const told = { commit, bytes: content.length, sha256: sha256Of(content) };
  const linked = { 'x-linked-size': '200000', 'x-linked-etag': `"${told.sha256}"`, 'x-repo-commit': commit };

  interface Case {
    readonly name: string;
    readonly answers: readonly [Answer, ...Answer[]];
    readonly access?: HubAccess;
    readonly expected: typeof told | RegExp;
    readonly reason?: string;
    readonly waits?: readonly number[];
  }

  it.each<Case>([
    { name: 'comes with a redirect to elsewhere', answers: [hubFile(content, filePath)], expected: told },
    {
      name: 'comes after a redirect to the new name of the repository',
      answers: [
        status(307, { location: '/new/name/tiny.gguf' }),
        status(302, { ...linked, location: '/cdn' }),
      ],
      expected: told,
    },
    {
      name: 'comes with the file itself, where a mirror sends it',
      answers: [status(200, { ...linked, 'content-length': '200000' })],
      expected: told,
    },
    {
      name: 'is without a commit: the revision stays',
      answers: [status(302, { ...linked, 'x-repo-commit': '../..', location: '/cdn' })],
      expected: { ...told, commit: 'main' },
    },
    {
      name: 'has no checksum: refused',
      answers: [status(200, { 'content-length': '200000', etag: '"0123456789"' })],
      expected: /no size and checksum of hf:owner\/repository\/tiny.gguf/,
      reason: 'downloadFailed',
    },
    {
      name: 'has no size: refused',
      answers: [status(302, { 'x-linked-etag': linked['x-linked-etag'], location: '/cdn' })],
      expected: /no size and checksum/,
    },
    {
      name: 'is that conditions have to be accepted',
      answers: [hubError(401, 'GatedRepo')],
      expected: /accepted the conditions at https:\/\/huggingface.co\/owner\/repository/,
      reason: 'modelAccess',
    },
    {
      name: 'is that this account has not accepted them',
      answers: [hubError(403, 'GatedRepo')],
      access: { token: 'secret' },
      expected: /accepted the conditions/,
      reason: 'modelAccess',
    },
    {
      name: 'is that the token is not valid',
      answers: [status(401)],
      access: { token: 'secret' },
      expected: /^127\.0\.0\.1:\d+ does not accept the Hugging Face token$/,
      reason: 'modelAccess',
    },
    {
      name: 'is that there is no such repository, or a private one',
      answers: [hubError(401, 'RepoNotFound')],
      expected: /no repository owner\/repository, or keeps it private/,
      reason: 'modelAccess',
    },
    {
      name: 'is that there is no such file',
      answers: [hubError(404, 'EntryNotFound')],
      expected: /no file hf:owner\/repository\/tiny.gguf/,
      reason: 'modelNotFound',
    },
    {
      name: 'is to come again later',
      answers: [status(429, { 'retry-after': '7' }), hubFile(content, filePath)],
      expected: told,
      waits: [7000],
    },
    {
      name: 'is to come again in an hour: not so long',
      answers: [status(429, { 'retry-after': '3600' }), hubFile(content, filePath)],
      expected: told,
      waits: [30_000],
    },
    {
      name: 'is an error of its own, again and again',
      answers: [status(500)],
      expected: /HTTP 500/,
      reason: 'downloadFailed',
      waits: [1000, 2000],
    },
    {
      name: 'breaks off, and then comes',
      answers: [(_, response) => void response.destroy(), hubFile(content, filePath)],
      expected: told,
      waits: [1000],
    },
    {
      name: 'is a redirect loop',
      answers: [status(302, { location: filePath })],
      expected: /redirects more than 10 times/,
      waits: [],
    },
  ])('$name', async ({ answers, access, expected, reason, waits }) => {
    const hub = await start(...answers);
    const waited: number[] = [];
    const options = {
      signal,
      access: { ...access, endpoint: hub.origin },
      wait: (milliseconds: number) => Promise.resolve(void waited.push(milliseconds)),
    };
    let record: unknown;
    const failure = await caught(async () => {
      record = await askHubFile(parseHubReference(model)!, options);
    });
    if (expected instanceof RegExp) expect(failure?.message).toMatch(expected);
    else expect(record).toEqual(expected);
    if (reason !== undefined) expect(failure?.reason).toBe(reason);
    if (waits !== undefined) expect(waited).toEqual(waits);
  });

  it('lists the files of a repository, in an error where none is named', async () => {
    const siblings = [
      { rfilename: 'README.md', size: 10 },
      { rfilename: 'big.gguf', size: 4e9 },
      { rfilename: 'q4/small.gguf', size: 98e6 },
      { rfilename: 'huge-00001-of-00002.gguf', size: 40e9 },
      { rfilename: '../evil.gguf', size: 1 },
    ];
    const hub = await start((_, response) => void response.end(JSON.stringify({ siblings })));
    const access = { endpoint: `${hub.origin}/` };
    const reference = parseHubReference('hf:owner/repository@v2')!;
    expect(await listHubFiles(reference, { signal, access })).toEqual([
      { file: 'q4/small.gguf', bytes: 98e6 },
      { file: 'big.gguf', bytes: 4e9 },
    ]);
    expect(hub.requests).toEqual(['GET /api/models/owner/repository/revision/v2?blobs=true']);
    await expect(resolveModel('hf:owner/repository', { signal, folder, access })).rejects.toMatchObject({
      reason: 'badArgument',
      message:
        'hf:owner/repository is a repository and no file; it has: q4/small.gguf (98 MB), big.gguf (4000 MB)',
    });
  });

  it('is not asked at what is no address', async () => {
    const options = { signal, access: { endpoint: 'example' } };
    await expect(askHubFile(parseHubReference(model)!, options)).rejects.toThrow(
      /mirror example is not an address/,
    );
  });
});
