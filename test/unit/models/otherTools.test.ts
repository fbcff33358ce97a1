import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelsOfOtherTools } from '../../../extension/models/otherTools.ts';

let home: string;
let own: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'));
  own = join(home, 'own');
});
afterEach(() => rm(home, { recursive: true }));

const digest = 'ab'.repeat(32);
const manifest = JSON.stringify({
  layers: [
    { mediaType: 'application/vnd.ollama.image.license', digest: `sha256:${'cd'.repeat(32)}` },
    { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: 5 },
  ],
});

async function tree(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), content);
  }
}

/** "tool: name in path below home" of each, in order. */
async function found(platform: NodeJS.Platform = 'linux', env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const models = await modelsOfOtherTools(own, { home, platform, env });
  return models
    .filter(({ path }) => path.startsWith(home))
    .map(({ tool, name, path }) => `${tool}: ${name} in ${path.slice(home.length + 1)}`);
}

describe('modelsOfOtherTools', () => {
  it.each<[string, NodeJS.Platform, path: string, expected: string]>([
    ['LM Studio', 'linux', '.lmstudio/models/owner/repo/a.gguf', 'a'],
    ['LM Studio', 'win32', '.cache/lm-studio/models/owner/repo/a.gguf', 'a'],
    ['llama.cpp', 'linux', '.cache/llama.cpp/owner_repo_a.gguf', 'owner_repo_a'],
    ['llama.cpp', 'darwin', 'Library/Caches/llama.cpp/a.gguf', 'a'],
    ['llama.cpp', 'win32', 'AppData/Local/llama.cpp/a.gguf', 'a'],
    ['Hugging Face', 'darwin', '.cache/huggingface/hub/models--o--r/snapshots/12/a.gguf', 'a'],
    ['GPT4All', 'linux', '.local/share/nomic.ai/GPT4All/a.gguf', 'a'],
    ['GPT4All', 'darwin', 'Library/Application Support/nomic.ai/GPT4All/a.gguf', 'a'],
    ['GPT4All', 'win32', 'AppData/Local/nomic.ai/GPT4All/a.gguf', 'a'],
    ['Jan', 'linux', '.local/share/Jan/data/llamacpp/models/owner/name/model.gguf', 'name'],
    ['Jan', 'darwin', 'Library/Application Support/Jan/data/llamacpp/models/o/name/model.gguf', 'name'],
    ['Jan', 'win32', 'AppData/Roaming/Jan/data/llamacpp/models/o/name/model.gguf', 'name'],
    ['Jan', 'linux', 'jan/models/name/a.gguf', 'a'],
  ])('%s on %s: %s', async (tool, platform, path, name) => {
    await tree({ [path]: 'model', 'own/mine.gguf': 'model' });
    expect(await found(platform)).toEqual([`${tool}: ${name} in ${path}`]);
  });

  it.each<[string, string]>([
    ['LLAMA_CACHE', 'llama.cpp'],
    ['HF_HUB_CACHE', 'Hugging Face'],
    ['HUGGINGFACE_HUB_CACHE', 'Hugging Face'],
  ])('%s names the folder of %s, and the usual one is not looked at', async (variable, tool) => {
    await tree({
      'elsewhere/a.gguf': 'model',
      '.cache/llama.cpp/b.gguf': 'model',
      '.cache/huggingface/hub/b.gguf': 'model',
    });
    const models = await found('linux', { [variable]: join(home, 'elsewhere') });
    expect(models.filter((model) => model.startsWith(tool))).toEqual([`${tool}: a in elsewhere/a.gguf`]);
  });

  it('HF_HOME, XDG folders, JAN_DATA_FOLDER and the pointer of LM Studio move folders, too', async () => {
    await tree({
      'hf/hub/models--o--r/snapshots/1/a.gguf': 'model',
      'data/nomic.ai/GPT4All/b.gguf': 'model',
      'cache/llama.cpp/c.gguf': 'model',
      'janData/llamacpp/models/d/model.gguf': 'model',
      'studio/models/o/r/e.gguf': 'model',
      '.lmstudio-home-pointer': join(home, 'studio'),
    });
    const env = {
      ...{ HF_HOME: join(home, 'hf'), XDG_DATA_HOME: join(home, 'data') },
      ...{ XDG_CACHE_HOME: join(home, 'cache'), JAN_DATA_FOLDER: join(home, 'janData') },
    };
    const models = await found('linux', env);
    expect(models.map((model) => model.slice(0, model.indexOf(' in')))).toEqual([
      ...['LM Studio: e', 'llama.cpp: c', 'Hugging Face: a', 'GPT4All: b', 'Jan: d'],
    ]);
  });

  it('Ollama: the blob that a manifest names as the model', async () => {
    const library = '.ollama/models/manifests/registry.ollama.ai';
    await tree({
      [`.ollama/models/blobs/sha256-${digest}`]: 'model',
      [`${library}/library/qwen2.5-coder/7b`]: manifest,
      [`${library}/someone/other/latest`]: manifest.replace(digest, 'ef'.repeat(32)),
      [`${library}/library/broken/latest`]: '{"layers": [',
      [`${library}/library/strange/latest`]: '{"layers": [{"mediaType": 5, "digest": "sha256:../../x"}]}',
    });
    expect(await found()).toEqual([`Ollama: qwen2.5-coder:7b in .ollama/models/blobs/sha256-${digest}`]);
    await tree({
      [`moved/blobs/sha256-${digest}`]: 'model',
      'moved/manifests/hf.co/owner/repo/Q4_K_M': manifest,
    });
    expect(await found('linux', { OLLAMA_MODELS: join(home, 'moved') })).toEqual([
      `Ollama: owner/repo:Q4_K_M in moved/blobs/sha256-${digest}`,
    ]);
  });

  it('takes each file once, and only models that are there', async () => {
    const hub = '.cache/huggingface/hub/models--o--r';
    await tree({
      [`${hub}/blobs/12`]: 'model',
      [`${hub}/snapshots/1/readme.md`]: '',
      '.lmstudio/models/o/r/mmproj-a.gguf': 'model',
      '.lmstudio/models/o/r/a.mmproj.gguf': 'model',
      '.lmstudio/models/o/r/b-00001-of-00002.gguf': 'model',
      '.lmstudio/models/o/r/b-00002-of-00002.gguf': 'model',
      '.lmstudio/models/o/r/empty.gguf': '',
    });
    await symlink('../../blobs/12', join(home, hub, 'snapshots/1/a.gguf'));
    await symlink('../../blobs/13', join(home, hub, 'snapshots/1/gone.gguf'));
    await symlink('..', join(home, hub, 'snapshots/1/loop'));
    await mkdir(join(home, hub, 'snapshots/2'));
    await symlink('../../blobs/12', join(home, hub, 'snapshots/2/a.gguf'));
    expect(await found()).toEqual([
      'LM Studio: b-00001-of-00002 in .lmstudio/models/o/r/b-00001-of-00002.gguf',
      `Hugging Face: a in ${hub}/snapshots/1/a.gguf`,
    ]);
  });
});
