import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { catalogue } from '../../../extension/models/catalogueEntries.ts';
import { listModels } from '../../../extension/models/modelList.ts';
import { modelTable } from '../../../extension/terminal/modelTable.ts';
import { ggufBytes, modelMetadata } from '../models/ggufWriter.ts';

const folder = await mkdtemp(join(tmpdir(), 'models-'));
afterAll(() => rm(folder, { recursive: true }));

const GIB = 2 ** 30;
const machine = { cores: 2, totalBytes: 8 * GIB, freeBytes: 5 * GIB, gpu: null };
const model = (architecture: string): Buffer =>
  ggufBytes({
    metadata: modelMetadata(architecture),
    tensors: [{ name: 'token_embd.weight', dimensions: [64, 3] }],
  });

it('says what suits the machine, what is here, and what of it is refused and why', async () => {
  // No other tool's files: the folders of a machine that runs this test are not looked at.
  for (const name of ['LLAMA_CACHE', 'HF_HUB_CACHE', 'OLLAMA_MODELS', 'JAN_DATA_FOLDER', 'XDG_DATA_HOME']) {
    vi.stubEnv(name, join(folder, 'none'));
  }
  await writeFile(join(folder, 'tiny.gguf'), model('llama'));
  await writeFile(join(folder, 'strange.gguf'), model('mamba'));
  const table = modelTable(await listModels(folder, machine));
  expect(table).toContain('balanced  Qwen2.5-Coder-0.5B-Instruct (recommended)');
  expect(table).toMatch(
    /Reads 10,000 tokens in about 82 s on the processor, and takes about \d+ MB of 5\.4 GB of free memory\./,
  );
  for (const { name } of catalogue) expect(table).toContain(`  ${name}`);
  expect(table).toMatch(
    /Qwen2\.5-Coder-32B-Instruct\s+~19\.8 GB\s+~\d+\.\d GB of memory \(too much\)\s+Apache-2\.0/,
  );
  expect(table).toMatch(/ {2}tiny\.gguf, \d+ kB, ~\d+ MB of memory\n.*tiny\.gguf/);
  expect(table).toMatch(/ {2}strange\.gguf, \d+ kB, refused: .*mamba has recurrent layers/);
});
