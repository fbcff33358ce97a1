/**
 * Finds and loads the llama.cpp libraries that node-llama-cpp's platform packages carry.
 * One process loads one variant: the CPU one, or one that has the CPU and a kind of GPU.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { cudaErrors } from '../../cuda/cudaErrors.ts';
import { errors, isAskError, type AskError } from '../../errors.ts';
import type { DeviceName } from '../../protocol/engine.ts';
import { cudaOfItself, findCuda, packageFolder, runnableCuda } from './cudaLibrary.ts';
import { bindFunctions, type Functions, type Pointer } from './functions.ts';
import { deviceType, llamaCppVersion } from './structs.ts';

export interface Device {
  readonly pointer: Pointer;
  /** As ggml names it: "CPU", "Vulkan0". */
  readonly name: string;
  readonly description: string;
  readonly isGpu: boolean;
  /** A GPU without memory of its own. */
  readonly isIntegrated: boolean;
  readonly isCpu: boolean;
}

export interface LlamaLibrary {
  readonly functions: Functions;
  readonly version: string;
  readonly folder: string;
  readonly devices: readonly Device[];
  /** Why CUDA was not taken where no device was named, though its library and a GPU for it are here. */
  readonly cudaProblem: AskError | null;
}

type Variant = 'cpu' | 'vulkan' | 'cuda' | 'metal';

/** What callbacks may need while a native call runs; koffi's default stack is too small for ggml's recursion. */
const callStackBytes = 16 * 1024 * 1024; // 16 MiB
// Once any library is loaded, as when it is tried whether one can be, koffi does not take it any more.
koffi.config({ sync_stack_size: callStackBytes, sync_heap_size: callStackBytes / 2 });

let loaded: { variant: Variant; library: LlamaLibrary } | null = null;

/**
 * Loads the libraries for a device, once per process.
 * @throws errors.libraryNotLoaded when the platform package is absent or of another version, cudaErrors.notInstalled,
 *         cudaErrors.noDriver and cudaErrors.noToolkit where CUDA is asked for by name, errors.deviceNotFound when a GPU was asked for by name and there is none.
 */
export function loadLibrary(device: DeviceName): LlamaLibrary {
  const cuda = device === 'auto' ? cudaOfItself(packageName('cuda')) : 'absent';
  const variant = device === 'auto' ? bestInstalledVariant(cuda === 'taken') : device;
  if (loaded !== null) {
    if (loaded.variant !== variant && device !== 'auto') {
      throw errors.libraryNotLoaded(
        `The ${variant} library`,
        `this process already uses the ${loaded.variant} one`,
      );
    }
    return requireDevice(loaded.library, device);
  }
  const folders = libraryFolders(variant);
  const library = { ...openLibrary(folders), cudaProblem: isAskError(cuda) ? cuda : null };
  loaded = { variant, library };
  return requireDevice(library, device);
}

/** @throws errors.libraryNotLoaded, naming both, when the libraries are of another release than the structures. */
export function checkVersion(version: string): void {
  if (version === llamaCppVersion) return;
  throw errors.libraryNotLoaded(
    'llama.cpp',
    `it is version ${version} and the engine is made for ${llamaCppVersion}`,
  );
}

/** Threads for decoding: hyper-threads do not help matrix products, so half of many, all of few. */
export function decodeThreads(): number {
  const parallelism = os.availableParallelism();
  return parallelism > 4 ? Math.ceil(parallelism / 2) : parallelism;
}

/** Bytes free now and in all, as the device's driver says; null when it does not. */
export function deviceMemory(
  { functions }: LlamaLibrary,
  { pointer }: Device,
): { readonly freeBytes: number; readonly totalBytes: number } | null {
  // Longer than 64 bytes, so that they do not move while native code writes them.
  const free = new BigUint64Array(16);
  const total = new BigUint64Array(16);
  functions.ggml_backend_dev_memory(pointer, free, total);
  return total[0] === 0n ? null : { freeBytes: Number(free[0]), totalBytes: Number(total[0]) };
}

function requireDevice(library: LlamaLibrary, device: DeviceName): LlamaLibrary {
  const wantsGpu = device === 'vulkan' || device === 'cuda' || device === 'metal';
  if (wantsGpu && !library.devices.some((d) => d.isGpu)) {
    throw errors.deviceNotFound(
      device,
      library.devices.map((d) => d.name),
    );
  }
  return library;
}

/** Package names by platform, as node-llama-cpp 3.21 publishes them. */
function packageName(variant: Variant): string | null {
  const { platform, arch } = process;
  if (platform === 'darwin')
    return variant === 'cuda' || variant === 'vulkan'
      ? null
      : arch === 'arm64'
        ? 'mac-arm64-metal'
        : 'mac-x64';
  const system = platform === 'win32' ? 'win' : 'linux';
  const base = `${system}-${arch === 'arm' ? 'armv7l' : arch}`;
  switch (variant) {
    case 'cpu':
      return base;
    case 'vulkan':
      return `${base}-vulkan`;
    case 'cuda':
      return arch === 'x64' ? `${base}-cuda` : null;
    case 'metal':
      return null;
  }
}

function bestInstalledVariant(takesCuda: boolean): Variant {
  const cuda: readonly Variant[] = takesCuda ? ['cuda'] : [];
  const candidates: readonly Variant[] =
    process.platform === 'darwin' ? ['metal'] : [...cuda, 'vulkan', 'cpu'];
  return candidates.find((variant) => findFolder(variant) !== null) ?? 'cpu';
}

function findFolder(variant: Variant): string | null {
  const name = packageName(variant);
  if (name === null) return null;
  return variant === 'cuda' ? (findCuda(name)?.folder ?? null) : packageFolder(name, name);
}

/** The folder with everything, and one with a library that takes the place of one of its own. */
function libraryFolders(variant: Variant): readonly [string, ...string[]] {
  const name = packageName(variant);
  if (name === null) {
    const { platform, arch } = process;
    if (variant === 'cuda') throw cudaErrors.notHere(`${platform} ${arch}`);
    throw errors.libraryNotLoaded(`The ${variant} build of llama.cpp`, `there is none for ${platform}`);
  }
  if (variant === 'cuda') return cudaFolders(name);
  const folder = packageFolder(name, name);
  if (folder !== null) return [folder];
  const problem = `the package @node-llama-cpp/${name} is not installed`;
  throw errors.libraryNotLoaded(`The ${variant} build of llama.cpp`, problem);
}

function cudaFolders(name: string): readonly [string, ...string[]] {
  const cuda = findCuda(name);
  if (cuda === null) throw cudaErrors.notInstalled(`@node-llama-cpp/${name}`);
  const runnable = runnableCuda(cuda);
  if (isAskError(runnable)) throw runnable;
  return runnable === 'cuda13' ? [cuda.folder] : [cuda.folder, cuda.olderFolder];
}

function openLibrary([folder, ...others]: readonly [string, ...string[]]): Omit<LlamaLibrary, 'cudaProblem'> {
  const files = fs.readdirSync(folder);
  const find = (pattern: RegExp): string => {
    const file = files.find((name) => pattern.test(name));
    if (file === undefined)
      throw errors.libraryNotLoaded('llama.cpp', `no file like ${pattern.source} in ${folder}`);
    return path.join(folder, file);
  };
  try {
    // Loaded in the order of their dependence, each visible to the next.
    const base = koffi.load(find(/^(lib)?ggml-base\.(so|dylib|dll)$/), { global: true });
    const ggml = koffi.load(find(/^(lib)?ggml\.(.*\.)?(so|dylib|dll)$/), { global: true });
    const llama = koffi.load(find(/^(lib)?llama\.(.*\.)?(so|dylib|dll)$/), { global: true });
    const functions = bindFunctions({ 'ggml-base': base, ggml, llama });
    const version = functions.llama_version();
    checkVersion(version);
    silenceLog(functions, llama);
    for (const from of [folder, ...others]) functions.ggml_backend_load_all_from_path(from);
    functions.llama_backend_init();
    return { functions, version, folder, devices: listDevices(functions) };
  } catch (error) {
    if (error instanceof Error && error.name === 'AskError') throw error;
    throw errors.libraryNotLoaded('llama.cpp', error instanceof Error ? error.message : String(error));
  }
}

/**
 * llama.cpp's log goes nowhere unless asked for. It is written from any thread, where JavaScript cannot be called,
 * so the sink is a C function that takes no arguments and does nothing: an extra argument is harmless in every
 * calling convention in use.
 */
function silenceLog(functions: Functions, llama: LibraryHandle): void {
  if (process.env['ASK_CODEBASE_LLAMA_LOG'] === '1') return;
  const doesNothing = koffi.address(llama.symbol('llama_version')) as Pointer;
  functions.llama_log_set(doesNothing, null);
}

function listDevices(functions: Functions): Device[] {
  return Array.from({ length: functions.ggml_backend_dev_count() }, (_, index) => {
    const pointer = functions.ggml_backend_dev_get(index);
    const type = functions.ggml_backend_dev_type(pointer);
    return {
      pointer,
      name: functions.ggml_backend_dev_name(pointer),
      description: functions.ggml_backend_dev_description(pointer),
      isCpu: type === deviceType.cpu,
      isGpu: type === deviceType.gpu || type === deviceType.integratedGpu,
      isIntegrated: type === deviceType.integratedGpu,
    };
  });
}
