/** The terminal's way to the hub, in a process of its own, since the proxy is the whole process's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  hubFile,
  sha256Of,
  startFaultyServer,
  testContent,
  type FaultyServer,
} from '../models/faultyServer.ts';
import { startProxy, type Proxy } from '../models/proxyServer.ts';

const content = testContent(1000);
const model = 'hf:owner/repository/tiny.gguf';

let folder: string;
let script: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  script = join(folder, 'get.mjs');
  await build({
    stdin: {
      contents: `import { readFileSync } from 'node:fs';
        import { createHash } from 'node:crypto';
        import { askParts } from './extension/terminal/askRequest.ts';
        const { signal } = new AbortController();
        const found = await askParts(() => undefined).resolveModel(process.argv[2], { signal, folder: process.argv[3] })
          .then(({ path }) => createHash('sha256').update(readFileSync(path)).digest('hex'), (error) => error.message);
        process.stdout.write(found);`,
      resolveDir: process.cwd(),
    },
    ...{ outfile: script, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    external: ['koffi', 'node-llama-cpp'],
    banner: {
      js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
    },
  });
});
afterAll(() => rm(folder, { recursive: true }));

let hub: FaultyServer;
let proxy: Proxy;
beforeEach(async () => {
  hub = await startFaultyServer(hubFile(content, '/owner/repository/resolve/main/tiny.gguf'));
  proxy = await startProxy(hub.url);
});
afterEach(async () => {
  await hub.close();
  await proxy.close();
});

/** The sha256 of what came, or what went wrong. */
async function get(env: Readonly<Record<string, string>>): Promise<string> {
  const into = await mkdtemp(join(folder, 'models-'));
  const child = spawn(process.execPath, [script, model, into], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said;
}

it.each(['HTTP_PROXY', 'http_proxy'])('goes through %s to a host that it alone knows', async (name) => {
  const token = { HF_TOKEN: 'secret' };
  expect(await get({ HF_ENDPOINT: 'http://hub.invalid', [name]: proxy.url, ...token })).toBe(
    sha256Of(content),
  );
  expect(new Set(proxy.targets)).toEqual(new Set(['hub.invalid:80']));
  expect(hub.requests[0]).toBe('HEAD /owner/repository/resolve/main/tiny.gguf as secret');
});

it('goes past it to what NO_PROXY names', async () => {
  const endpoint = new URL(hub.url);
  const env = { HF_ENDPOINT: endpoint.origin, HTTP_PROXY: proxy.url, NO_PROXY: endpoint.hostname };
  expect(await get(env)).toBe(sha256Of(content));
  expect(proxy.targets).toEqual([]);
});

it('says that a proxy is none', async () => {
  expect(await get({ HTTP_PROXY: 'no proxy' })).toMatch(/^HTTP_PROXY names no proxy: /);
});
