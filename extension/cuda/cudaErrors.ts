/** The part of the catalogue of errors (errors.ts) that is about CUDA. */
import { AskError } from '../errors.ts';
import { bytesText } from '../models/amounts.ts';
import type { SentenceArgument } from '../protocol/sentence.ts';

export const cudaErrors = {
  notInstalled: (packageName: string) =>
    new AskError(
      'cudaMissing',
      "The package {0}, which drives NVIDIA's GPUs (320 MB to fetch with its companion), is not installed",
      [packageName],
      'Choose the device vulkan, which drives the same GPUs, or run npm run get-cuda:linux (get-cuda:windows) in the repository.',
    ),
  notHere: (platform: string) =>
    new AskError(
      'libraryNotLoaded',
      'There is no CUDA for {0}',
      [platform],
      'Choose the device auto, which takes the best that there is here.',
    ),
  /** The driver's own file is not there. */
  noDriver: (file: string) =>
    new AskError(
      'cudaCannotRun',
      "CUDA cannot run here: NVIDIA's driver has not installed {0}",
      [file],
      "Install NVIDIA's driver, or choose the device auto or vulkan.",
    ),
  /** Of two releases of CUDA either would do. */
  noToolkit: (files: readonly string[], orFiles: readonly string[]) =>
    new AskError(
      'cudaCannotRun',
      'CUDA cannot run here: neither {0} (CUDA 13) nor {1} (CUDA 12) is found',
      [files.join(', '), orFiles.join(', ')],
      "Install NVIDIA's CUDA toolkit 12 or 13, with cuBLAS, or choose the device auto or vulkan.",
    ),
  needsNpm: (packages: readonly string[]) =>
    new AskError(
      'cudaNotFetched',
      'npm, which CUDA is fetched with, is not on this machine. By hand: get {0} with npm pack elsewhere, and choose the files here',
      [packages.join(', ')],
      'Install Node.js with npm, or bring the files.',
    ),
  notFetched: (what: string, problem: SentenceArgument) =>
    new AskError(
      'cudaNotFetched',
      '{0} could not be fetched with npm ({1})',
      [what, problem],
      'Check the network and the configuration of npm, or bring the files by hand.',
    ),
  damaged: (what: string, expected: string, actual: string) =>
    new AskError(
      'cudaNotFetched',
      '{0} arrived damaged: {1}, expected {2}',
      [what, actual, expected],
      'Nothing of it was kept. Try again; if it happens again, the source is not to be trusted.',
    ),
  /** @param is another package, the file's checksum, or why it cannot be read */
  wrongFile: (file: string, is: string) =>
    new AskError(
      'cudaNotFetched',
      'The file {0} is none of those that this machine needs: {1}',
      [file, is],
      'Get the packages that are named, with npm pack, and bring their files as they are.',
    ),
  fileMissing: (packages: readonly string[]) =>
    new AskError(
      'cudaNotFetched',
      'The file of {0} is missing',
      [packages.join(', ')],
      'Choose the files of all packages together.',
    ),
  notWritten: (folder: string, problem: string) =>
    new AskError(
      'cudaNotFetched',
      'CUDA cannot be put into {0}: {1}',
      [folder, problem],
      'Make the folder writable, and free some space.',
    ),
  /** Most often since a process still has it open. */
  notRemoved: (folder: string, problem: string) =>
    new AskError(
      'cudaNotRemoved',
      'CUDA cannot be removed from {0}: {1}',
      [folder, problem],
      'Close the other windows that use it, and try again.',
    ),
  noRoom: (folder: string, neededBytes: number, freeBytes: number) =>
    new AskError(
      'cudaNotFetched',
      'The disk of {0} has too little room: {1} needed, {2} free',
      [folder, bytesText(neededBytes), bytesText(freeBytes)],
      'Free some space.',
    ),
} as const;
