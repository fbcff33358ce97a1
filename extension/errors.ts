/**
 * Every failure a user can meet: what happened, with the number, and what to change.
 * Code decides by `reason`, never by the text.
 */

export type ErrorReason =
  // what the user gave us
  | 'badArgument'
  | 'workspaceNotFound'
  | 'nothingToRead'
  | 'questionTooLong'
  // models
  | 'modelNotFound'
  | 'modelCorrupt'
  | 'modelNotServed'
  | 'notEnoughMemory'
  | 'cacheFolderNotWritable'
  | 'diskFull'
  | 'downloadFailed'
  | 'checksumMismatch'
  // the engine
  | 'libraryNotLoaded'
  | 'deviceNotFound'
  | 'engineNotStarted'
  | 'engineVersion'
  | 'engineStopped'
  | 'engineHung'
  | 'engineGaveUp'
  | 'decodeFailed'
  | 'internal'
  | 'cancelled';

export class AskError extends Error {
  override readonly name = 'AskError';
  constructor(
    readonly reason: ErrorReason,
    message: string,
    /** What the user can change, as a sentence. */
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function isAskError(error: unknown, reason?: ErrorReason): error is AskError {
  return error instanceof AskError && (reason === undefined || error.reason === reason);
}

/** Reasons that are the user's input; the terminal exits with 2 for them and with 3 for the rest. */
export const badInputReasons: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'badArgument',
  'workspaceNotFound',
  'nothingToRead',
  'questionTooLong',
  'modelNotFound',
  'modelCorrupt',
  'modelNotServed',
]);

export const errors = {
  badArgument: (name: string, problem: string) =>
    new AskError('badArgument', `${name} ${problem}`, 'Run with --help to see the options.'),
  workspaceNotFound: (path: string) =>
    new AskError(
      'workspaceNotFound',
      `The workspace folder ${path} does not exist`,
      'Give an existing folder.',
    ),
  nothingToRead: (filesFound: number, skipped: number) =>
    new AskError(
      'nothingToRead',
      `There is nothing to read: ${filesFound} files found, ${skipped} left out`,
      'Look at the reasons of the files left out; .askcodebaseignore can bring files back with a line that begins with "!".',
    ),
  questionTooLong: (tokens: number, limit: number) =>
    new AskError(
      'questionTooLong',
      `The question has ${tokens} tokens, and ${limit} fit the model's window beside the kept cache`,
      'Shorten the question, lower the token budget or choose a model with a larger window.',
    ),

  modelNotFound: (path: string) =>
    new AskError(
      'modelNotFound',
      `The model file ${path} does not exist`,
      'Check the path, or leave --model out to get the default model.',
    ),
  modelCorrupt: (path: string, problem: string) =>
    new AskError(
      'modelCorrupt',
      `The model file ${path} is not a whole GGUF file: ${problem}`,
      'Delete the file and download the model again.',
    ),
  modelNotServed: (path: string, why: string) =>
    new AskError(
      'modelNotServed',
      `The model ${path} cannot be served: ${why}`,
      'Choose a model of the families llama, qwen2, qwen3 or mistral with full attention.',
    ),
  notEnoughMemory: (neededBytes: number, freeBytes: number, where: string) =>
    new AskError(
      'notEnoughMemory',
      `The model needs about ${gib(neededBytes)} and ${where} has ${gib(freeBytes)} free`,
      'Close other programs, choose a smaller model or lower the token budget.',
    ),
  cacheFolderNotWritable: (folder: string, problem: string) =>
    new AskError(
      'cacheFolderNotWritable',
      `The model folder ${folder} cannot be written: ${problem}`,
      'Make it writable, or set ASK_CODEBASE_CACHE to another folder.',
    ),
  diskFull: (folder: string, neededBytes: number, freeBytes: number) =>
    new AskError(
      'diskFull',
      `The disk of ${folder} is full: ${mib(neededBytes)} needed, ${mib(freeBytes)} free`,
      'Free some space, or set ASK_CODEBASE_CACHE to a folder on another disk. What was downloaded is kept and resumed.',
    ),
  downloadFailed: (what: string, attempts: readonly string[]) =>
    new AskError(
      'downloadFailed',
      `${what} could not be downloaded: ${attempts.join('; ')}`,
      'Check the network and try again (what arrived is kept), or bring a GGUF file by hand and name it with --model.',
    ),
  checksumMismatch: (what: string, expected: string, actual: string) =>
    new AskError(
      'checksumMismatch',
      `${what} arrived damaged: sha256 ${actual}, expected ${expected}`,
      'The file was removed. Try again; if it happens again, the source is not to be trusted.',
    ),

  libraryNotLoaded: (what: string, problem: string) =>
    new AskError(
      'libraryNotLoaded',
      `${what} could not be loaded: ${problem}`,
      'Run npm ci again on this machine, so that the right platform package is installed.',
    ),
  cudaNotInstalled: (packageName: string) =>
    new AskError(
      'libraryNotLoaded',
      `The package ${packageName}, which drives NVIDIA's GPUs (540 MB with its companion), is not installed`,
      'Run npm run get-cuda:linux or get-cuda:windows, or choose --device vulkan, which drives the same GPUs.',
    ),
  deviceNotFound: (device: string, available: readonly string[]) =>
    new AskError(
      'deviceNotFound',
      `There is no ${device} device here; found: ${available.join(', ') || 'none'}`,
      'Choose --device auto or cpu, or install the driver of the device.',
    ),
  engineNotStarted: (problem: string, cause?: unknown) =>
    new AskError(
      'engineNotStarted',
      `The engine process did not start: ${problem}`,
      'Run npm ci and try again.',
      { cause },
    ),
  engineVersion: (ours: number, theirs: number) =>
    new AskError(
      'engineVersion',
      `The engine speaks protocol version ${theirs} and this program version ${ours}`,
      'Build both anew with npm run build, or reload the window after an update.',
    ),
  /** The cause holds the last lines that the process wrote, for the log. */
  engineStopped: (how: string, cause?: unknown) =>
    new AskError(
      'engineStopped',
      `The engine process stopped (${how})`,
      'Ask again: the engine is started anew. If it stops again, choose a smaller model.',
      { cause },
    ),
  engineHung: (seconds: number) =>
    new AskError(
      'engineHung',
      `The engine process gave no sign of life for ${seconds} s and was ended`,
      'Ask again: the engine is started anew.',
    ),
  engineGaveUp: (message: string) =>
    new AskError(
      'engineGaveUp',
      `The engine process is not started again: ${message}`,
      'Choose a smaller model or a lower token budget, and look at the log for what the engine said last.',
    ),
  decodeFailed: (code: number, tokens: number) =>
    new AskError(
      'decodeFailed',
      `llama.cpp failed to decode ${tokens} tokens (code ${code})`,
      'This is most often memory that ran out: choose a smaller model or a lower token budget.',
    ),
  internal: (message: string, cause: unknown) =>
    new AskError('internal', `Something unexpected failed: ${message}`, 'Please report it with the log.', {
      cause,
    }),
  cancelled: () => new AskError('cancelled', 'The question was cancelled', 'Ask again when you like.'),
} as const;

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
