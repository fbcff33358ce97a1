/**
 * Model files that other local tools have on this machine. They are shown and read where they lie, and never moved,
 * changed or deleted.
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, sep } from 'node:path';

export type ToolName = 'LM Studio' | 'Ollama' | 'llama.cpp' | 'Hugging Face' | 'GPT4All' | 'Jan';

export interface ToolModel {
  readonly tool: ToolName;
  /** For people: the file's name, or what the tool calls the model. */
  readonly name: string;
  /** Absolute; it may be a link. */
  readonly path: string;
  readonly bytes: number;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const here: Surroundings = { env: process.env, platform: process.platform, home: homedir() };

/** Folders below a tool's own that are looked into: a publisher's, a repository's, a revision's and one more. */
const DEEPEST = 6;
/** Of one tool, so that a folder that is none of a tool's does not take forever. */
const MOST_ENTRIES = 20_000;
const LARGEST_MANIFEST_BYTES = 2 ** 20;

/** Each file once, however many links lead to it; nothing of `ownFolder`. */
export async function modelsOfOtherTools(
  ownFolder: string,
  surroundings: Surroundings = here,
): Promise<readonly ToolModel[]> {
  const found: ToolModel[] = [];
  for (const { tool, path } of await ggufFolders(surroundings)) {
    for (const file of await ggufFiles(path)) found.push({ tool, name: nameOf(file), path: file, bytes: 0 });
  }
  for (const folder of ollamaFolders(surroundings)) found.push(...(await ollamaModels(folder)));
  const own = await realpath(ownFolder).catch(() => ownFolder);
  const byPath = new Map<string, ToolModel>();
  for (const model of found) {
    const file = await wholeFile(model.path);
    if (file === undefined || byPath.has(file.realPath) || file.realPath.startsWith(own + sep)) continue;
    byPath.set(file.realPath, { ...model, bytes: file.bytes });
  }
  return [...byPath.values()];
}

/** Where each tool keeps GGUF files by their names. What the tool's own variable names goes before its usual places. */
async function ggufFolders(
  surroundings: Surroundings,
): Promise<readonly { readonly tool: ToolName; readonly path: string }[]> {
  const { env, home } = surroundings;
  const { caches, data, roaming } = platformFolders(surroundings);
  const lmStudioHome = await pointedHome(join(home, '.lmstudio-home-pointer'));
  const huggingFaceHome =
    named(env, 'HF_HOME') ?? join(named(env, 'XDG_CACHE_HOME') ?? join(home, '.cache'), 'huggingface');
  const places: readonly (readonly [ToolName, readonly (string | undefined)[]])[] = [
    [
      'LM Studio',
      [
        lmStudioHome && join(lmStudioHome, 'models'),
        join(home, '.lmstudio', 'models'),
        join(home, '.cache', 'lm-studio', 'models'),
      ],
    ],
    ['llama.cpp', [named(env, 'LLAMA_CACHE') ?? join(caches, 'llama.cpp')]],
    [
      'Hugging Face',
      [named(env, 'HF_HUB_CACHE') ?? named(env, 'HUGGINGFACE_HUB_CACHE') ?? join(huggingFaceHome, 'hub')],
    ],
    ['GPT4All', [join(data, 'nomic.ai', 'GPT4All'), join(home, '.cache', 'gpt4all')]],
    [
      'Jan',
      [
        ...(named(env, 'JAN_DATA_FOLDER') === undefined
          ? [join(roaming, 'Jan', 'data'), join(data, 'Jan', 'data'), join(home, 'jan')]
          : [named(env, 'JAN_DATA_FOLDER')]),
      ].flatMap((folder) => folder && [join(folder, 'llamacpp', 'models'), join(folder, 'models')]),
    ],
  ];
  return places.flatMap(([tool, paths]) =>
    paths.flatMap((path) => (path === undefined || path === '' ? [] : [{ tool, path }])),
  );
}

function ollamaFolders({ env, home, platform }: Surroundings): readonly string[] {
  const own = named(env, 'OLLAMA_MODELS');
  if (own !== undefined) return [own];
  // On Linux its service runs as a user of its own.
  const services = ['/usr/share/ollama/.ollama/models', '/var/lib/ollama/models'];
  return [join(home, '.ollama', 'models'), ...(platform === 'linux' ? services : [])];
}

interface PlatformFolders {
  readonly caches: string;
  /** Of programs, for this machine. */
  readonly data: string;
  /** Of programs, for the user on every machine; the same but on Windows. */
  readonly roaming: string;
}

function platformFolders({ env, platform, home }: Surroundings): PlatformFolders {
  if (platform === 'darwin') {
    const data = join(home, 'Library', 'Application Support');
    return { caches: join(home, 'Library', 'Caches'), data, roaming: data };
  }
  if (platform === 'win32') {
    const local = named(env, 'LOCALAPPDATA') ?? join(home, 'AppData', 'Local');
    return { caches: local, data: local, roaming: named(env, 'APPDATA') ?? join(home, 'AppData', 'Roaming') };
  }
  const data = named(env, 'XDG_DATA_HOME') ?? join(home, '.local', 'share');
  return { caches: named(env, 'XDG_CACHE_HOME') ?? join(home, '.cache'), data, roaming: data };
}

/** A relative path means another folder for each program, so it is left out. */
function named(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const path = env[name];
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

async function pointedHome(path: string): Promise<string | undefined> {
  const text = (await readFile(path, 'utf8').catch(() => '')).trim();
  return isAbsolute(text) ? text : undefined;
}

/** GGUF files below a folder. Projectors of images are no models, and of a model in parts the first stands for all. */
async function ggufFiles(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  let entries = 0;
  const walk = async (path: string, depth: number): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      if (++entries > MOST_ENTRIES) return;
      const below = join(path, entry.name);
      // A link may be to a file; one to a folder could lead anywhere, and back.
      if (entry.isDirectory() && depth < DEEPEST) await walk(below, depth + 1);
      else if (!entry.isDirectory() && isModelName(entry.name)) files.push(below);
    }
  };
  await walk(folder, 0);
  return files.sort();
}

function isModelName(name: string): boolean {
  const part = /-(\d{5})-of-\d{5}\.gguf$/i.exec(name)?.[1];
  return /\.gguf$/i.test(name) && !/^mmproj|[-.]mmproj/i.test(name) && (part ?? '00001') === '00001';
}

function nameOf(path: string): string {
  const parts = path.split(/[\\/]/);
  const file = (parts.at(-1) ?? path).replace(/\.gguf$/i, '');
  // Jan calls every file so, and the folder by the model's name.
  return file === 'model' ? (parts.at(-2) ?? file) : file;
}

/** Ollama keeps files by their checksum; manifests say which is which model's. */
async function ollamaModels(folder: string): Promise<readonly ToolModel[]> {
  const manifests = join(folder, 'manifests');
  const models: ToolModel[] = [];
  const entries = await readdir(manifests, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.slice(0, MOST_ENTRIES)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const digest = await modelDigest(path);
    if (digest === undefined) continue;
    const [, ...names] = path.slice(manifests.length + 1).split(/[\\/]/);
    const model = names[0] === 'library' ? names.slice(1) : names;
    const name = `${model.slice(0, -1).join('/')}:${model.at(-1)}`;
    models.push({ tool: 'Ollama', name, path: join(folder, 'blobs', `sha256-${digest}`), bytes: 0 });
  }
  return models;
}

/** Of the layer that is the model. Undefined for what is no manifest. */
async function modelDigest(manifestPath: string): Promise<string | undefined> {
  try {
    if ((await stat(manifestPath)).size > LARGEST_MANIFEST_BYTES) return undefined;
    const manifest: unknown = JSON.parse(await readFile(manifestPath, 'utf8'));
    const layers = fieldOf(manifest, 'layers');
    const all: readonly unknown[] = Array.isArray(layers) ? layers : [];
    const layer = all.find((one) => fieldOf(one, 'mediaType') === 'application/vnd.ollama.image.model');
    return /^sha256:([0-9a-f]{64})$/.exec(String(fieldOf(layer, 'digest')))?.[1];
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Undefined for a link that leads nowhere, and for a file with nothing in it. */
async function wholeFile(path: string): Promise<{ realPath: string; bytes: number } | undefined> {
  try {
    const realPath = await realpath(path);
    const stats = await stat(realPath);
    return stats.isFile() && stats.size > 0 ? { realPath, bytes: stats.size } : undefined;
  } catch {
    return undefined;
  }
}
