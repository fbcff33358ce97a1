/** What is in the VSIX of this machine's platform, run out of it: a folder that has nothing of the sources around it. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundledEngine } from '../../extension/engineClient/bundledEngine.ts';
import { startEngine } from '../../extension/engineClient/engineClient.ts';
import type { DeviceName } from '../../extension/protocol/engine.ts';
import { languageNames } from '../../extension/retrieval/languages.ts';
import { targetNames } from '../../scripts/targets.ts';
import { askEngine, ownSource } from '../engine/engineProcess.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { readArchive } from './archive.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const target = targetNames.find((name) => name === `${process.platform}-${process.arch}`);
let folder: string;
let extension: string;

beforeAll(() => {
  if (target === undefined) throw new Error(`No VSIX is made for ${process.platform}-${process.arch}.`);
  folder = mkdtempSync(join(tmpdir(), 'Ask Codebase – проверка 試験 '));
  for (const { path, read } of readArchive(join(repository, `dist/vsix/ask-codebase-${target}.vsix`))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), read());
  }
  extension = join(folder, 'extension');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const devices: readonly DeviceName[] = process.platform === 'darwin' ? ['auto'] : ['auto', 'cpu'];

test.each(devices)('the engine loads its libraries and answers, device %s', async (device) => {
  const modelPath = join(folder, 'model.gguf');
  writeTinyModel(modelPath, tinyOptions);
  const engine = await startEngine(bundledEngine({ enginePath: join(extension, 'dist/engine.mjs') }));
  try {
    const loaded = await engine.request('load', { modelPath, device });
    expect(loaded.layers).toBe(tinyOptions.layers);
    const { statistics, stopReason } = await askEngine(engine, {
      passages: [ownSource('extension/grammarFiles.ts')],
    });
    expect(['endOfGeneration', 'maxAnswerTokens']).toContain(stopReason);
    expect(statistics.documentTokens).toBeGreaterThan(100);
  } finally {
    await engine.dispose();
  }
});

test('the grammars are found beside the bundle, and each is one', async () => {
  const probe = join(extension, 'dist/probe.mjs');
  await build({
    stdin: {
      contents: `
        import { readGrammarFile } from './extension/grammarFiles.ts';
        import { languageNames } from './extension/retrieval/languages.ts';
        import { createGrammars } from './extension/retrieval/syntax.ts';
        const grammars = createGrammars(readGrammarFile);
        for (const name of languageNames) if (await grammars.load(name)) console.log(name);`,
      resolveDir: repository,
    },
    outfile: probe,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
  });
  const { stdout } = await promisify(execFile)(process.execPath, [probe]);
  expect(stdout.trim().split('\n')).toEqual([...languageNames]);
});
