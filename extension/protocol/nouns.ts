/** The nouns that cross a process boundary. Nothing here knows Node, VS Code or llama.cpp. */

/** One text of the workspace. Its text is what the editor shows: an unsaved buffer comes before the file. */
export interface SourceDocument {
  /** Name of the workspace folder the file belongs to. */
  readonly workspace: string;
  /** Path inside that folder, with forward slashes. */
  readonly path: string;
  /** LF line ends, no BOM. */
  readonly text: string;
}

/** Lines of one file: 1-based, both ends inclusive. */
export interface LineRange {
  readonly workspace: string;
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}

/** Consecutive lines of one document, as they are given to the model. */
export interface Passage extends LineRange {
  readonly text: string;
}

/** An earlier question with its answer. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
}

/** Why a file, or a part of it, was not read. The sentence is `skipReasonText[reason]`. */
export type SkipReason =
  | 'gitignore'
  | 'excludeSetting'
  | 'askcodebaseignore'
  | 'secret'
  | 'binary'
  | 'generated'
  | 'lockFile'
  | 'tooLarge'
  | 'tooManyFiles'
  | 'symlink'
  | 'symlinkLoop'
  | 'notAFile'
  | 'unreadable'
  | 'empty'
  | 'readingLimit';

export const skipReasonText: { readonly [R in SkipReason]: string } = {
  gitignore: 'left out by .gitignore',
  excludeSetting: 'left out by the exclude setting',
  askcodebaseignore: 'left out by .askcodebaseignore',
  secret: 'may hold a secret (key, credential, certificate or .env)',
  binary: 'is not text',
  generated: 'is generated or minified',
  lockFile: 'is a package lock file',
  tooLarge: 'is larger than the size limit',
  tooManyFiles: 'lies beyond the limit on the number of files',
  symlink: 'is a symbolic link that leaves the workspace or points nowhere',
  symlinkLoop: 'is a symbolic link to a folder that is read already',
  notAFile: 'is not a regular file',
  unreadable: 'could not be read',
  empty: 'is empty',
  readingLimit: 'ranked below what fits the reading limit',
};

/** Of a file that was named and is nowhere. */
export const absentText = 'does not exist';

export interface SkippedFile {
  readonly workspace: string;
  readonly path: string;
  /** A folder that is left out as a whole is one entry whose path ends in a slash. */
  readonly reason: SkipReason;
  /** The number or system message behind the reason, when there is one: "3.1 MB, limit 1 MB". */
  readonly detail?: string;
}

/** What was read and what was not, for one answer. */
export interface Coverage {
  readonly filesFound: number;
  /** Files of which at least one line was read. */
  readonly filesRead: number;
  readonly skipped: readonly SkippedFile[];
}

/** `answer`: the model wrote it and the lines exist. `evidence`: added by us from the kept cache, since the model cited nothing. */
export type CitationSource = 'answer' | 'evidence';

export interface Citation extends LineRange {
  readonly source: CitationSource;
}

/** Lines that the compressed cache holds, with their share of the kept document tokens (0 to 1). */
export interface Evidence extends LineRange {
  readonly weight: number;
}

export interface Statistics {
  /** Tokens of the documents that were read, headers included. */
  readonly documentTokens: number;
  /** Document tokens in the cache when the answer began, per layer and KV head. */
  readonly keptTokens: number;
  readonly tokenBudget: number;
  /** Every token that went through the model before the first answer token. */
  readonly prefillTokens: number;
  readonly prefillSeconds: number;
  readonly scoreSeconds: number;
  readonly evictSeconds: number;
  readonly generatedTokens: number;
  readonly generateSeconds: number;
  /** Bytes of the allocated K and V tensors and of the copy of the kept keys. */
  readonly kvCacheBytes: number;
  /** Largest resident set of the engine process so far, bytes. */
  readonly peakEngineBytes: number;
  /** `state`: a kept KV state was taken instead of reading. `index`: stored states of passages were. */
  readonly reused: Reuse;
  /** When that had been read, milliseconds since 1970; absent when it was read for this answer. */
  readonly readAt?: number;
}

export type Reuse = 'none' | 'state' | 'index';
