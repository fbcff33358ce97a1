/**
 * CUDA's build of llama.cpp, which does not come with the extension, and NVIDIA's own files that it needs. It is made for
 * CUDA 13; a second library takes the place of one of its own where there is CUDA 12.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import koffi from 'koffi';
import { cudaErrors } from '../../cuda/cudaErrors.ts';
import { hasNvidiaDriver } from '../../cuda/cudaPackages.ts';
import { isAskError, type AskError } from '../../errors.ts';

export interface CudaLibrary {
  readonly folder: string;
  /** Where the library for CUDA 12 is. */
  readonly olderFolder: string;
}

interface Needed {
  readonly driver: string;
  readonly cuda13: readonly string[];
  readonly cuda12: readonly string[];
}

/** As the libraries themselves name them. */
const linuxNeeds: Needed = {
  driver: 'libcuda.so.1',
  cuda13: ['libcudart.so.13', 'libcublas.so.13'],
  cuda12: ['libcudart.so.12', 'libcublas.so.12'],
};
const windowsNeeds: Needed = {
  driver: 'nvcuda.dll',
  cuda13: ['cublas64_13.dll'],
  cuda12: ['cudart64_12.dll', 'cublas64_12.dll'],
};

let ownFolder: string | undefined;

/** @param folder of the libraries, where no package that is installed has them */
export function lookForCudaIn(folder: string): void {
  ownFolder = folder;
}

/** @param name of the package, without its scope. Null when neither it nor the folder is there. */
export function findCuda(name: string): CudaLibrary | null {
  const folder = packageFolder(name, name);
  const older = packageFolder(`${name}-ext`, name);
  if (folder !== null) return { folder, olderFolder: path.join(older ?? folder, 'fallback') };
  if (ownFolder === undefined || !existsSync(ownFolder)) return null;
  return { folder: ownFolder, olderFolder: path.join(ownFolder, 'fallback') };
}

/** Which of the two libraries can run here, or what NVIDIA's installers have left out. */
export function runnableCuda(
  { olderFolder }: CudaLibrary,
  canLoad: (file: string) => boolean = isLoadable,
  { driver, cuda13, cuda12 }: Needed = process.platform === 'win32' ? windowsNeeds : linuxNeeds,
): 'cuda13' | 'cuda12' | AskError {
  if (!canLoad(driver)) return cudaErrors.noDriver(driver);
  const lacked13 = cuda13.filter((file) => !canLoad(file));
  if (lacked13.length === 0) return 'cuda13';
  const lacked12 = cuda12.filter((file) => !canLoad(file));
  if (lacked12.length === 0 && existsSync(olderFolder)) return 'cuda12';
  return cudaErrors.noToolkit(lacked13, lacked12.length === 0 ? [olderFolder] : lacked12);
}

/**
 * Whether CUDA is taken where no device is named. Its library without all that it needs finds no device, where Vulkan's may
 * find one; then it is told what is missing.
 * @param name of the package, without its scope; null: there is none for this platform
 */
export function cudaOfItself(
  name: string | null,
  hasGpu: boolean = hasNvidiaDriver(),
  runnable: (cuda: CudaLibrary) => ReturnType<typeof runnableCuda> = runnableCuda,
): 'taken' | 'absent' | AskError {
  const cuda = name === null || !hasGpu ? null : findCuda(name);
  if (cuda === null) return 'absent';
  const runs = runnable(cuda);
  return isAskError(runs) ? runs : 'taken';
}

/** The folder of libraries that an installed package has; null when there is none, as where another stands in for it. */
export function packageFolder(packageName: string, name: string): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(`@node-llama-cpp/${packageName}`);
    const folder = path.join(path.dirname(entry), '..', 'bins', name);
    return existsSync(folder) ? folder : null;
  } catch {
    return null;
  }
}

/** By its name alone, as the library itself will look for it. */
function isLoadable(file: string): boolean {
  try {
    koffi.load(file);
    return true;
  } catch {
    return false;
  }
}
