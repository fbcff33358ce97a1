/** References, what the hub says of them, and files that come by them, from a hub on this machine. */
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesOfModel, localModel, lookUpModel, resolveModel } from '../../../extension/models/findModel.ts';
import {
  askHubFile,
  hubFileName,
  hubReferenceText,
  listHubFiles,
  parseHubReference,
  type HubAccess,
} from '../../../extension/models/huggingFace.ts';
import { caught } from './caught.ts';
import {
  dropAt,
  hubError,
  hubFile,
  serve,
  sha256Of,
  startFaultyServer,
  status,
  testContent,
  type Answer,
  type FaultyServer,
} from './faultyServer.ts';

const content = testContent(200_000);
const otherContent = testContent(200_000, 'b');
const half = 100_000;
const commit = 'c'.repeat(40);
const model = 'hf:owner/repository/tiny.gguf';
const filePath = '/owner/repository/resolve/main/tiny.gguf';
const pinnedPath = `/owner/repository/resolve/${commit}/tiny.gguf`;
const { signal } = new AbortController();

let folder: string;
let servers: FaultyServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-'));
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function start(...answers: [Answer, ...Answer[]]): Promise<FaultyServer & { origin: string }> {
  const server = await startFaultyServer(...answers);
  servers.push(server);
  return { ...server, origin: new URL(server.url).origin };
}

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

describe('a model by its reference', () => {
  const path = (): string => join(folder, 'huggingface', 'owner', 'repository', 'main', 'tiny.gguf');
  const filesHere = (): Promise<string[]> => readdir(dirname(path())).catch(() => []);

  it('is fetched at the commit that the hub named, and found again without the network', async () => {
    const hub = await start(hubFile(content, filePath));
    const options = { signal, folder, access: { endpoint: hub.origin } };
    expect(await localModel(model, folder)).toMatchObject({
      here: false,
      bytes: 0,
      entry: null,
      path: path(),
    });
    expect(await lookUpModel(model, options)).toMatchObject({ here: false, name: 'tiny', bytes: 200_000 });
    expect(await resolveModel(model, options)).toMatchObject({ path: path(), name: 'tiny' });
    expect(sha256Of(await readFile(path()))).toBe(sha256Of(content));
    expect(hub.requests).toEqual([`HEAD ${filePath}`, `HEAD ${filePath}`, `GET ${pinnedPath}`, 'GET /cdn']);

    await servers.pop()!.close();
    for (const mayDownload of [true, false])
      expect(await resolveModel(model, { ...options, mayDownload })).toMatchObject({ path: path() });
    expect(await localModel(model, folder)).toMatchObject({ here: true, bytes: 200_000, haveBytes: 0 });
    expect(filesOfModel(path())).toEqual(
      expect.arrayContaining((await filesHere()).map((name) => join(dirname(path()), name))),
    );
  });

  it('goes on where it was stopped, and says how much is there', async () => {
    const stop = new AbortController();
    const drop: Answer = (request, response) =>
      request.url === '/cdn'
        ? dropAt(content, half, `${path()}.part`)(request, response)
        : hubFile(content, filePath)(request, response);
    const [first, second] = [await start(drop), await start(hubFile(content, filePath))];
    const onProgress = ({ done }: { readonly done: number }): void => {
      if (done === half) stop.abort();
    };
    const stopped = { signal: stop.signal, folder, access: { endpoint: first.origin }, onProgress };
    await expect(resolveModel(model, stopped)).rejects.toMatchObject({ reason: 'cancelled' });
    expect(await localModel(model, folder)).toMatchObject({ here: false, bytes: 200_000, haveBytes: half });
    await resolveModel(model, { signal, folder, access: { endpoint: second.origin } });
    expect(second.ranges).toEqual(['', `bytes=${half}-`, `bytes=${half}-`]);
    expect(sha256Of(await readFile(path()))).toBe(sha256Of(content));
  });

  it('that has changed at the hub since is fetched from its beginning', async () => {
    const hub = await start(hubFile(otherContent, filePath));
    await mkdir(dirname(path()), { recursive: true });
    await writeFile(`${path()}.part`, content.subarray(0, half));
    await writeFile(`${path()}.part.etag`, '"of the old one"');
    await writeFile(`${path()}.hub`, JSON.stringify({ commit, bytes: half, sha256: sha256Of(content) }));
    await resolveModel(model, { signal, folder, access: { endpoint: hub.origin } });
    expect(sha256Of(await readFile(path()))).toBe(sha256Of(otherContent));
  });

  it('that was brought by hand is taken as it is', async () => {
    await mkdir(dirname(path()), { recursive: true });
    await writeFile(path(), 'anything');
    await writeFile(`${path()}.hub`, 'damaged');
    const options = { signal, folder, mayDownload: false };
    expect(await resolveModel(model, options)).toEqual({ path: path(), name: 'tiny', entry: null });
  });

  it('is not fetched where that is not allowed', async () => {
    const options = { signal, folder, mayDownload: false };
    await expect(resolveModel(model, options)).rejects.toMatchObject({
      reason: 'modelNotHere',
      message: 'The model tiny is not on this machine yet',
    });
  });

  it('that arrives damaged is removed', async () => {
    const damaged: Answer = (request, response) =>
      (request.url === '/cdn' ? serve(otherContent) : hubFile(content, filePath))(request, response);
    const hub = await start(damaged);
    const options = { signal, folder, access: { endpoint: hub.origin } };
    await expect(resolveModel(model, options)).rejects.toThrow(/arrived damaged/);
    expect(await filesHere()).toEqual(['tiny.gguf.hub']);
  });

  it('says without a network how to bring the file by hand', async () => {
    const hub = await start(status(500));
    await servers.pop()!.close();
    const waiting = resolveModel(model, { signal, folder, access: { endpoint: hub.origin } });
    await expect(waiting).rejects.toMatchObject({
      reason: 'downloadFailed',
      message: expect.stringMatching(/ECONNREFUSED/) as string,
      args: ['tiny', expect.any(String) as string, `${hub.origin}${filePath}`, path()],
    });
  });

  describe('with a token', () => {
    it('sends it to the hub and to no other host', async () => {
      const cdn = await start(serve(content));
      const hub = await start((request, response) => {
        if (request.headers.authorization === undefined) return hubError(401, 'GatedRepo')(request, response);
        const location = request.method === 'HEAD' ? '/cdn' : cdn.url;
        const told = {
          'x-linked-size': '200000',
          'x-linked-etag': `"${sha256Of(content)}"`,
          'x-repo-commit': commit,
        };
        return status(302, { ...told, location })(request, response);
      });
      const access = { endpoint: hub.origin };
      await expect(resolveModel(model, { signal, folder, access })).rejects.toMatchObject({
        reason: 'modelAccess',
      });
      await resolveModel(model, { signal, folder, access: { ...access, token: 'secret' } });
      expect(hub.requests).toEqual([
        `HEAD ${filePath}`,
        `HEAD ${filePath} as secret`,
        `GET ${pinnedPath} as secret`,
      ]);
      expect(cdn.requests).toEqual(['GET /models/file.gguf']);
    });

    it('does not send it again to the hub by way of another host', async () => {
      const hub = await start(hubFile(content, filePath));
      const elsewhere = await start(status(302, { location: `${hub.origin}/cdn` }));
      const detour = await start(
        status(302, {
          location: elsewhere.url,
          'x-linked-etag': `"${sha256Of(content)}"`,
          'x-linked-size': '200000',
        }),
      );
      const access = { endpoint: detour.origin, token: 'secret' };
      await resolveModel(model, { signal, folder, access });
      expect(elsewhere.requests).toEqual(['GET /models/file.gguf']);
      expect(hub.requests).toEqual(['GET /cdn']);
    });

    it('says what the hub refuses in the middle', async () => {
      const refused: Answer = (request, response) =>
        (request.method === 'HEAD' ? hubFile(content, filePath) : hubError(403, 'GatedRepo'))(
          request,
          response,
        );
      const hub = await start(refused);
      const options = { signal, folder, access: { endpoint: hub.origin, token: 'secret' } };
      const failure = await caught(() => resolveModel(model, options));
      expect(failure).toMatchObject({ reason: 'modelAccess' });
      expect(JSON.stringify([failure?.message, failure?.stack])).not.toContain('secret');
    });
  });
});
