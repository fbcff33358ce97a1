/**
 * Model files on Hugging Face, or on a mirror of it, named by references such as `hf:owner/repository/file.gguf`.
 * Here is what a reference means, where its file lies on this machine, and what the hub says of it; the file itself
 * comes by `resolveModel` and `getModelFile`, as every other does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AskError, errors } from '../errors.ts';
import {
  follow,
  isTemporary,
  linkedSha256,
  NetworkError,
  retryAfter,
  ServerError,
  sha256In,
  statusText,
  type HttpRequest,
} from './http.ts';
import type { ModelFile } from './modelFile.ts';

const hub = 'https://huggingface.co';
const hubHosts: ReadonlySet<string> = new Set(['huggingface.co', 'hf.co', 'www.huggingface.co']);

const TRY_LIMIT = 3;
const FIRST_WAIT_MILLISECONDS = 1_000;
const LONGEST_WAIT_MILLISECONDS = 30_000;
/** For what the hub says of a file, which is short. */
const ANSWER_MILLISECONDS = 30_000;
/** Of a repository's files, so many are named in an error. */
const MOST_NAMED_FILES = 30;

export interface HubReference {
  readonly owner: string;
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Path in the repository; absent: none was named. */
  readonly file?: string;
}

export interface HubAccess {
  /** Address of a mirror, or of a hub of one's own; Hugging Face when absent. */
  readonly endpoint?: string;
  /** Sent to the endpoint alone. */
  readonly token?: string;
}

export interface HubOptions {
  readonly signal: AbortSignal;
  readonly access?: HubAccess;
  /** Between two tries; a test does not wait. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** What is kept of the hub's word about a file: enough to fetch exactly this one, and to verify it. */
export interface HubRecord {
  /** The commit that the revision was at, or the revision itself where the hub does not say. */
  readonly commit: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** A GGUF file of a repository. */
export interface HubFile {
  readonly file: string;
  readonly bytes: number;
}

/**
 * `hf:owner/repository`, `hf:owner/repository/file.gguf`, both with `@revision` behind the repository or at the end, and
 * the address of a repository or of a file in it. Undefined for what is none of them.
 * Throws errors.hubReference for what begins like one and is none.
 */
export function parseHubReference(text: string): HubReference | undefined {
  if (/^hf:/i.test(text)) return parseShort(text);
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  return url !== null && hubHosts.has(url.hostname) ? parseAddress(text, url) : undefined;
}

/** As `parseHubReference` reads it. */
export function hubReferenceText({ owner, repository, revision, file }: HubReference): string {
  const at = revision === 'main' ? '' : `@${encodeURIComponent(revision)}`;
  return `hf:${owner}/${repository}${at}${file === undefined ? '' : `/${file}`}`;
}

/** For people: the page on which a repository's conditions stand. */
export function hubPage({ owner, repository }: HubReference): string {
  return `${hub}/${owner}/${repository}`;
}

/** Path of the file below the model folder, with `/`: a folder for each revision, so that no two files meet there. */
export function hubFileName({ owner, repository, revision, file = '' }: HubReference): string {
  return `huggingface/${owner}/${repository}/${encodeURIComponent(revision)}/${file}`;
}

/** What `getModelFile` fetches: the file at the commit that the hub named, wherever the revision is by now. */
export function hubModelFile(reference: HubReference, { commit, bytes, sha256 }: HubRecord): ModelFile {
  const fileName = hubFileName(reference);
  const name = fileName.slice(fileName.lastIndexOf('/') + 1).replace(/\.gguf$/i, '');
  const url = fileAddress(hub, reference, commit);
  return { name, fileName, bytes, sha256, sources: [{ kind: 'http', url, hub: reference }] };
}

/** A source's address at the endpoint: another than its own when it is the hub's and a mirror is used. */
export function mirroredAddress(url: string, { endpoint = hub }: HubAccess): string {
  return url.startsWith(`${hub}/`) ? `${endpointOf(endpoint)}${url.slice(hub.length)}` : url;
}

/** The token for an address: undefined for all that is not at the endpoint. */
export function tokenFor(url: string, { endpoint = hub, token }: HubAccess): string | undefined {
  return new URL(url).origin === new URL(endpointOf(endpoint)).origin ? token : undefined;
}

/**
 * Asks the hub for a file's size, checksum and commit.
 * Throws errors.hubNoChecksum where it does not give them, errors.hubGated, errors.hubTokenRefused,
 * errors.hubNoRepository, errors.hubNoFile, errors.hubNeedsFile with the names when the reference has none,
 * errors.downloadFailed and errors.cancelled.
 */
export async function askHubFile(reference: HubReference, options: HubOptions): Promise<HubRecord> {
  if (reference.file === undefined) throw await needsFile(reference, options);
  const { endpoint = hub } = options.access ?? {};
  const url = fileAddress(endpointOf(endpoint), reference, reference.revision);
  const isEnough = (answer: Response): boolean => linkedSha256(answer.headers) !== undefined;
  const { headers, status } = await askHub(reference, { url, method: 'HEAD', isEnough }, options);
  // A mirror that sends the file itself has them in the headers of the file.
  const sha256 = linkedSha256(headers) ?? (status === 200 ? sha256In(headers.get('etag')) : undefined);
  const length = headers.get('x-linked-size') ?? (status === 200 ? headers.get('content-length') : null);
  const bytes = Number(length ?? NaN);
  if (sha256 === undefined || !Number.isSafeInteger(bytes) || bytes <= 0) {
    throw errors.hubNoChecksum(hubReferenceText(reference));
  }
  const commit = headers.get('x-repo-commit') ?? '';
  return { commit: /^[0-9a-f]{40}$/.test(commit) ? commit : reference.revision, bytes, sha256 };
}

/** The GGUF files of a repository that are whole models, smallest first. Throws as `askHubFile` does. */
export async function listHubFiles(
  reference: HubReference,
  options: HubOptions,
): Promise<readonly HubFile[]> {
  const { endpoint = hub } = options.access ?? {};
  const { owner, repository, revision } = reference;
  const at = encodeURIComponent(revision);
  const url = `${endpointOf(endpoint)}/api/models/${owner}/${repository}/revision/${at}?blobs=true`;
  const answer = await askHub(reference, { url, isEnough: () => false }, options);
  const answered: unknown = await answer.json().catch(() => undefined);
  const siblings = fieldOf(answered, 'siblings');
  if (!Array.isArray(siblings)) {
    throw errors.downloadFailed(url, ['the answer is not the list of files that it should be']);
  }
  return siblings
    .flatMap((sibling: unknown): HubFile[] => {
      const [file, bytes] = [fieldOf(sibling, 'rfilename'), fieldOf(sibling, 'size')];
      if (typeof file !== 'string' || typeof bytes !== 'number') return [];
      return isFilePath(file) && !isPartOfSeveral(file) ? [{ file, bytes }] : [];
    })
    .sort((a, b) => a.bytes - b.bytes);
}

/** What an answer of the hub says of the user's rights and of the reference; undefined when it is about neither. */
export function hubRefusal(
  reference: HubReference,
  { status, headers }: Response,
  { endpoint = hub, token }: HubAccess,
): AskError | undefined {
  if (status !== 401 && status !== 403 && status !== 404) return undefined;
  const name = `${reference.owner}/${reference.repository}`;
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo' || status === 403) return errors.hubGated(name, hubPage(reference));
  if (status === 401 && token !== undefined && code !== 'RepoNotFound') {
    return errors.hubTokenRefused(new URL(endpointOf(endpoint)).host);
  }
  // To those who did not log in, the hub answers alike for a private repository and for none.
  if (status === 401 || code === 'RepoNotFound') return errors.hubNoRepository(name);
  return errors.hubNoFile(hubReferenceText(reference));
}

async function needsFile(reference: HubReference, options: HubOptions): Promise<AskError> {
  const files = await listHubFiles(reference, options);
  if (files.length === 0) return errors.hubNoGguf(hubReferenceText(reference));
  const names = files.map(({ file, bytes }) => `${file} (${(bytes / 1e6).toFixed(0)} MB)`);
  const more = names.length > MOST_NAMED_FILES ? [`… (${names.length})`] : [];
  const shown = [...names.slice(0, MOST_NAMED_FILES), ...more];
  return errors.hubNeedsFile(hubReferenceText(reference), shown);
}

/** An answer that is no failure. What may pass is tried again, after as long as the hub asks for. */
async function askHub(
  reference: HubReference,
  request: Pick<HttpRequest, 'url' | 'method' | 'isEnough'>,
  { signal, access = {}, wait = pause }: HubOptions,
): Promise<Response> {
  // Identity, since a length would otherwise count compressed bytes.
  const headers = { 'accept-encoding': 'identity' };
  const token = tokenFor(request.url, access);
  for (let tries = 1; ; tries++) {
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MILLISECONDS)]);
    const answer = await follow({ ...request, headers, token, signal: attempt }).catch((error: unknown) => {
      if (error instanceof NetworkError || error instanceof ServerError) return error;
      throw error;
    });
    if (signal.aborted) throw errors.cancelled();
    if (answer instanceof Response && (answer.ok || request.isEnough(answer))) return answer;
    if (answer instanceof Response) await answer.body?.cancel();
    const refusal = answer instanceof Response ? hubRefusal(reference, answer, access) : undefined;
    if (refusal !== undefined) throw refusal;
    const problem = answer instanceof Response ? statusText(answer.status) : answer.message;
    const passes = answer instanceof Response ? isTemporary(answer.status) : answer instanceof NetworkError;
    if (!passes || tries === TRY_LIMIT) throw errors.downloadFailed(request.url, [problem]);
    const asked = answer instanceof Response ? retryAfter(answer.headers) : undefined;
    const milliseconds = asked ?? FIRST_WAIT_MILLISECONDS * 2 ** (tries - 1);
    await wait(Math.min(milliseconds, LONGEST_WAIT_MILLISECONDS), signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {
    throw errors.cancelled();
  });
}

function parseShort(text: string): HubReference {
  const match = /^hf:\/{0,2}([^/@]*)\/([^/@]*)(?:@([^/]*))?(?:\/([^@]*))?(?:@(.*))?$/i.exec(text.trim());
  if (match === null) throw errors.hubReference(text);
  const [, owner = '', repository = '', revision, file, lastRevision] = match;
  if (revision !== undefined && lastRevision !== undefined) throw errors.hubReference(text);
  return checked(text, { owner, repository, revision: decoded(revision ?? lastRevision ?? 'main'), file });
}

function parseAddress(text: string, url: URL): HubReference {
  const [owner = '', repository = '', kind, revision = 'main', ...file] = url.pathname
    .split('/')
    .slice(1)
    .map(decoded);
  if (kind !== undefined && kind !== '' && !['blob', 'resolve', 'tree'].includes(kind)) {
    throw errors.hubReference(text);
  }
  return checked(text, { owner, repository, revision, file: kind === 'tree' ? undefined : file.join('/') });
}

function checked(
  text: string,
  { file, ...place }: Omit<HubReference, 'file'> & { readonly file: string | undefined },
): HubReference {
  const { owner, repository, revision } = place;
  const isPlace = [owner, repository].every((name) => /^[A-Za-z0-9][\w.-]{0,95}$/.test(name));
  const isRevision = /^\w[\w./-]{0,199}$/.test(revision) && !revision.includes('..');
  if (!isPlace || !isRevision) throw errors.hubReference(text);
  if (file === undefined || file === '') return place;
  if (!isFilePath(file)) throw errors.hubReference(text);
  if (isPartOfSeveral(file)) {
    throw errors.modelNotServed(
      file,
      'is one part of several: take a repository that has the model in one file',
    );
  }
  return { ...place, file };
}

/** A path that is one on every system, and stays below the folder that it is put in. */
function isFilePath(path: string): boolean {
  const isName = (name: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{N} ._+()=,-]{0,199}$/u.test(name);
  return /\.gguf$/i.test(path) && path.split('/').every((name) => isName(name) && !/[. ]$/.test(name));
}

function isPartOfSeveral(path: string): boolean {
  return /-\d{5}-of-\d{5}\.gguf$/i.test(path);
}

/** Percent signs that encode nothing stay as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fileAddress(
  endpoint: string,
  { owner, repository, file = '' }: HubReference,
  revision: string,
): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${owner}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/** Without a slash at its end. Throws errors.hubEndpoint. */
function endpointOf(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) throw errors.hubEndpoint(endpoint);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
