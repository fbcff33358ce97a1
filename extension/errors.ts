/**
 * Every failure a user can meet: what happened, with the number, and what to change.
 * Code decides by `reason`, never by the text. Longer than other files, since it is a catalogue.
 */
import {
  fillTemplate,
  joinedSentences,
  type SentenceArgument,
  type SentenceArguments,
} from './protocol/sentence.ts';

export const errorReasons = [
  // what the user gave us
  'badArgument',
  'workspaceNotFound',
  'nothingToRead',
  'questionTooLong',
  'pinNotRead',
  // models
  'modelNotFound',
  'modelNotHere',
  'modelAccess',
  'modelCorrupt',
  'modelNotServed',
  'kvCacheNotServed',
  'notEnoughMemory',
  'cacheFolderNotWritable',
  'diskFull',
  'downloadFailed',
  'checksumMismatch',
  // the engine
  'libraryNotLoaded',
  'cudaMissing',
  'cudaNotFetched',
  'cudaNotRemoved',
  'cudaCannotRun',
  'deviceNotFound',
  'engineNotStarted',
  'engineVersion',
  'engineStopped',
  'engineHung',
  'engineGaveUp',
  'decodeFailed',
  'internal',
  'cancelled',
] as const;
export type ErrorReason = (typeof errorReasons)[number];

/** Its message is English; a translation is made from the template and the arguments. */
export class AskError extends Error {
  override readonly name = 'AskError';
  constructor(
    readonly reason: ErrorReason,
    /** The message in English, with `{0}`, `{1}` … where the arguments go. */
    readonly template: string,
    readonly args: SentenceArguments,
    /** What the user can change, as a sentence. */
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(fillTemplate(template, args), options);
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
  'pinNotRead',
  'modelNotFound',
  'modelCorrupt',
  'modelNotServed',
  'kvCacheNotServed',
]);

export const errors = {
  badArgument: (name: string, problem: string) =>
    new AskError('badArgument', '{0} {1}', [name, problem], 'Run with --help to see the options.'),
  workspaceNotFound: (path: string) =>
    new AskError(
      'workspaceNotFound',
      'The workspace folder {0} does not exist',
      [path],
      'Give an existing folder.',
    ),
  folderNotOffered: (path: string) =>
    new AskError(
      'badArgument',
      'The folder {0} is none of those that may be read here, and lies in none of them',
      [path],
      'Name one of the folders that the server was started with or one inside them, or leave the folders out.',
    ),
  /** Of a program that asks, not of a person. */
  badRequest: (problem: string) =>
    new AskError(
      'badArgument',
      'The request is not valid: {0}',
      [problem],
      'Send what the description of the request allows.',
    ),
  pathNotInWorkspace: (path: string) =>
    new AskError(
      'badArgument',
      '{0} is no file or folder of the open workspace',
      [path],
      'Name a path inside a workspace folder, or leave the paths out.',
    ),
  questionMissing: () => new AskError('badArgument', 'The question is missing', [], 'Ask something.'),
  questionTooManyCharacters: (characters: number, limit: number) =>
    new AskError(
      'badArgument',
      'The question has {0} characters, and {1} are the limit',
      [characters, limit],
      'Shorten the question, and name files instead of pasting them.',
    ),
  readingLimitTooSmall: (limit: number, tokens: number) =>
    new AskError(
      'badArgument',
      'The reading limit of {0} tokens is too small: one line and its header have {1}',
      [limit, tokens],
      'Raise the reading limit.',
    ),
  indexNotKept: () =>
    new AskError(
      'badArgument',
      'No index is made, since the setting storedReadingsLimit is 0',
      [],
      'Raise storedReadingsLimit.',
    ),
  tokenBudgetTooLarge: (tokenBudget: number, window: number) =>
    new AskError(
      'badArgument',
      "The token budget of {0} does not fit the model's window of {1} tokens",
      [tokenBudget, window],
      'Lower the token budget, or choose a model with a larger window.',
    ),
  nothingToRead: (filesFound: number, skipped: number) =>
    new AskError(
      'nothingToRead',
      'There is nothing to read: {0} files found, {1} left out',
      [filesFound, skipped],
      'Look at the reasons of the files left out; .askcodebaseignore can bring files back with a line that begins with "!".',
    ),
  questionTooLong: (tokens: number, limit: number) =>
    new AskError(
      'questionTooLong',
      "The question has {0} tokens, and {1} fit the model's window beside the kept cache",
      [tokens, limit],
      'Shorten the question, lower the token budget or choose a model with a larger window.',
    ),
  /** `why` is a sentence of `skipReasonText`, or `absentText`. */
  pinNotRead: (path: string, why: string) =>
    new AskError(
      'pinNotRead',
      '{0} was named in the question and cannot be read: {1}',
      [path, why],
      'Take it out of the question, or bring it back with a line in .askcodebaseignore that begins with "!".',
    ),

  modelNotFound: (path: string) =>
    new AskError(
      'modelNotFound',
      'The model file {0} does not exist',
      [path],
      'Check the path, or leave --model out to get the default model.',
    ),
  modelNotHere: (name: string, bytes: number) =>
    new AskError(
      'modelNotHere',
      'The model {0} ({1}) is not on this machine yet',
      [name, mib(bytes)],
      'Download it; this is needed once.',
    ),
  /** Of a size that the hub was not asked for yet. */
  hubModelNotHere: (name: string) =>
    new AskError(
      'modelNotHere',
      'The model {0} is not on this machine yet',
      [name],
      'Download it; this is needed once.',
    ),
  hubReference: (text: string) =>
    new AskError(
      'badArgument',
      '{0} names no file or repository on Hugging Face',
      [text],
      'Write hf:owner/repository/file.gguf, and @revision at the end if another than main is meant.',
    ),
  hubEndpoint: (text: string) =>
    new AskError(
      'badArgument',
      'The mirror {0} is not an address',
      [text],
      'Write an address that begins with https://, in HF_ENDPOINT or in the setting modelMirror.',
    ),
  hubNeedsFile: (reference: string, files: readonly string[]) =>
    new AskError(
      'badArgument',
      '{0} is a repository and no file; it has: {1}',
      [reference, files.join(', ')],
      'Write the name of the file after the repository.',
    ),
  hubNoGguf: (reference: string) =>
    new AskError(
      'badArgument',
      'The repository {0} has no GGUF file that is a whole model',
      [reference],
      'Choose a repository that has the model in one GGUF file.',
    ),
  hubNoRepository: (name: string) =>
    new AskError(
      'modelAccess',
      'The hub has no repository {0}, or keeps it private',
      [name],
      'Check the name. For a private one, set a Hugging Face token: HF_TOKEN in a terminal, a command in VS Code.',
    ),
  hubNoFile: (reference: string) =>
    new AskError(
      'modelNotFound',
      'The hub has no file {0}',
      [reference],
      'Check the name and the revision; without the name, the files of the repository are listed.',
    ),
  hubGated: (name: string, page: string) =>
    new AskError(
      'modelAccess',
      'The files of {0} are given only to those who have accepted the conditions at {1}',
      [name, page],
      'Accept them there and set a Hugging Face token of that account: HF_TOKEN in a terminal, a command in VS Code.',
    ),
  hubTokenRefused: (host: string) =>
    new AskError(
      'modelAccess',
      '{0} does not accept the Hugging Face token',
      [host],
      'Set one that is valid and may read the repository: HF_TOKEN in a terminal, a command in VS Code.',
    ),
  hubNoChecksum: (reference: string) =>
    new AskError(
      'downloadFailed',
      'The hub gives no size and checksum of {0}, so that it could not be verified',
      [reference],
      'Download it by hand if you trust it, and choose it by its path.',
    ),
  modelCorrupt: (path: string, problem: SentenceArgument) =>
    new AskError(
      'modelCorrupt',
      'The model file {0} is not a whole GGUF file: {1}',
      [path, problem],
      'Delete the file and download the model again.',
    ),
  modelNotServed: (path: string, why: SentenceArgument) =>
    new AskError(
      'modelNotServed',
      'The model {0} cannot be served: {1}',
      [path, why],
      'Choose a model of the families llama, qwen2, qwen3, smollm3, phi3, granite or gemma3.',
    ),
  /** `where` is a device, or a model's path. */
  kvCacheNotServed: (type: string, where: string, why: SentenceArgument) =>
    new AskError(
      'kvCacheNotServed',
      'A KV cache of type {0} cannot be used with {1}: {2}',
      [type, where, why],
      'Choose --kv-cache f16, or another device or model.',
    ),
  notEnoughMemory: (neededBytes: number, freeBytes: number, where: string) =>
    new AskError(
      'notEnoughMemory',
      'The model needs about {0} and {1} has {2} free',
      [gib(neededBytes), where, gib(freeBytes)],
      'Close other programs, choose a smaller model or lower the token budget.',
    ),
  memoryRanOut: (tokens: number) =>
    new AskError(
      'notEnoughMemory',
      'No memory was left for a cache of {0} tokens: another program has taken it meanwhile',
      [tokens],
      'Close other programs and ask again, choose a smaller model or lower the token budget.',
    ),
  graphMemoryRanOut: (nodes: number) =>
    new AskError(
      'notEnoughMemory',
      'No memory was left for {0} operations on the cache: another program has taken it meanwhile',
      [nodes],
      'Close other programs and ask again, choose a smaller model or lower the token budget.',
    ),
  cacheFolderNotWritable: (folder: string, problem: SentenceArgument) =>
    new AskError(
      'cacheFolderNotWritable',
      'The model folder {0} cannot be written: {1}',
      [folder, problem],
      'Make it writable, or set ASK_CODEBASE_CACHE to another folder.',
    ),
  diskFull: (folder: string, neededBytes: number, freeBytes: number) =>
    new AskError(
      'diskFull',
      'The disk of {0} is full: {1} needed, {2} free',
      [folder, mib(neededBytes), mib(freeBytes)],
      'Free some space, or set ASK_CODEBASE_CACHE to a folder on another disk. What was downloaded is kept and resumed.',
    ),
  downloadFailed: (what: string, attempts: SentenceArguments) =>
    new AskError(
      'downloadFailed',
      '{0} could not be downloaded: {1}',
      [what, joinedSentences(attempts)],
      'Check the network and try again (what arrived is kept), or bring a GGUF file by hand and name it with --model.',
    ),
  /** Of all sources. @param path where the file belongs */
  modelNotDownloaded: (name: string, problems: SentenceArguments, url: string, path: string) =>
    new AskError(
      'downloadFailed',
      '{0} could not be downloaded: {1}. By hand: get {2} elsewhere and bring it here as {3}',
      [name, joinedSentences(problems), url, path],
      'Check the network and try again (what arrived is kept), or choose any GGUF file by its path.',
    ),
  checksumMismatch: (what: string, expected: string, actual: string) =>
    new AskError(
      'checksumMismatch',
      '{0} arrived damaged: sha256 {1}, expected {2}',
      [what, actual, expected],
      'The file was removed. Try again; if it happens again, the source is not to be trusted.',
    ),

  libraryNotLoaded: (what: string, problem: string) =>
    new AskError(
      'libraryNotLoaded',
      '{0} could not be loaded: {1}',
      [what, problem],
      'Run npm ci again on this machine, so that the right platform package is installed.',
    ),
  deviceNotFound: (device: string, available: readonly string[]) =>
    new AskError(
      'deviceNotFound',
      'There is no {0} device here; found: {1}',
      [device, available.join(', ') || 'none'],
      'Choose --device auto or cpu, or install the driver of the device.',
    ),
  deviceFailed: (device: string, why: string) =>
    new AskError(
      'deviceNotFound',
      'The device {0} failed its test: {1}',
      [device, why],
      'Choose the device cpu, or update the driver of this one.',
    ),
  engineNotStarted: (problem: string, cause?: unknown) =>
    new AskError(
      'engineNotStarted',
      'The engine process did not start: {0}',
      [problem],
      'Run npm ci and try again.',
      { cause },
    ),
  engineVersion: (ours: number, theirs: number) =>
    new AskError(
      'engineVersion',
      'The engine speaks protocol version {0} and this program version {1}',
      [theirs, ours],
      'Build both anew with npm run build, or reload the window after an update.',
    ),
  /** The cause holds the last lines that the process wrote, for the log. */
  engineStopped: (how: string, cause?: unknown) =>
    new AskError(
      'engineStopped',
      'The engine process stopped ({0})',
      [how],
      'Ask again: the engine is started anew. If it stops again, choose a smaller model.',
      { cause },
    ),
  engineHung: (seconds: number) =>
    new AskError(
      'engineHung',
      'The engine process gave no sign of life for {0} s and was ended',
      [seconds],
      'Ask again: the engine is started anew.',
    ),
  engineGaveUp: (exits: number, withinMinutes: number, seconds: number) =>
    new AskError(
      'engineGaveUp',
      'The engine process stopped {0} times within {1} minutes; the next start is allowed in {2} s',
      [exits, withinMinutes, seconds],
      'Choose a smaller model or a lower token budget, and look at the log for what the engine said last.',
    ),
  decodeFailed: (code: number, tokens: number) =>
    new AskError(
      'decodeFailed',
      'llama.cpp failed to decode {0} tokens (code {1})',
      [tokens, code],
      'This is most often memory that ran out: choose a smaller model or a lower token budget.',
    ),
  internal: (message: string, cause: unknown) =>
    new AskError(
      'internal',
      'Something unexpected failed: {0}',
      [message],
      'Please report it with the log.',
      {
        cause,
      },
    ),
  cancelled: () => new AskError('cancelled', 'The question was cancelled', [], 'Ask again when you like.'),
} as const;

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
