/** Model files by their references, from a hub on this machine. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOfModel, localModel, lookUpModel, resolveModel } from '../../../extension/models/findModel.ts';
import { caught } from './caught.ts';
import {
  dropAt,
  hubError,
  hubFile,
  serve,
  sha256Of,
  status,
  testContent,
  type Answer,
} from './faultyServer.ts';
import { folder, servers, start } from './hubServers.ts';

const content = testContent(200_000);
const otherContent = testContent(200_000, 'b');
const half = 100_000;
const commit = 'c'.repeat(40);
const model = 'hf:owner/repository/tiny.gguf';
const filePath = '/owner/repository/resolve/main/tiny.gguf';
const pinnedPath = `/owner/repository/resolve/${commit}/tiny.gguf`;
const { signal } = new AbortController();

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

  it.each(['known by its ETag', 'known by its checksum'])(
    'that has changed at the hub, %s, begins anew',
    async (how) => {
      const hub = await start(hubFile(otherContent, filePath));
      await mkdir(dirname(path()), { recursive: true });
      await writeFile(`${path()}.part`, content.subarray(0, half));
      if (how.endsWith('ETag')) await writeFile(`${path()}.part.etag`, '"of the old one"');
      else
        await writeFile(`${path()}.hub`, JSON.stringify({ commit, bytes: half, sha256: sha256Of(content) }));
      await resolveModel(model, { signal, folder, access: { endpoint: hub.origin } });
      expect(sha256Of(await readFile(path()))).toBe(sha256Of(otherContent));
    },
  );

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
      args: ['tiny', expect.anything(), `${hub.origin}${filePath}`, path()],
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

    it('does not take for its word what is refused elsewhere', async () => {
      const elsewhere = await start(status(403));
      const told = { 'x-linked-size': '200000', 'x-linked-etag': `"${sha256Of(content)}"` };
      const hub = await start(status(302, { ...told, location: elsewhere.url }));
      const options = { signal, folder, access: { endpoint: hub.origin, token: 'secret' } };
      await expect(resolveModel(model, options)).rejects.toMatchObject({
        reason: 'downloadFailed',
        message: expect.stringMatching(/HTTP 403/) as string,
      });
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
