/**
 * Model files on Hugging Face, or on a mirror of it, named by references such as `hf:owner/repository/file.gguf`: what a
 * reference means, where its file lies on this machine, and at which address. `askHub.ts` has what the hub says of it;
 * the file itself comes by `resolveModel` and `getModelFile`, as every other does.
 */
import { errors } from '../errors.ts';
import type { ModelFile } from './modelFile.ts';
import { notServedTexts, problem } from './modelProblems.ts';

const hub = 'https://huggingface.co';
const hubHosts: ReadonlySet<string> = new Set(['huggingface.co', 'hf.co', 'www.huggingface.co']);

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

/** What is kept of the hub's word about a file: enough to fetch exactly this one, and to verify it. */
export interface HubRecord {
  /** The commit that the revision was at, or the revision itself where the hub does not say. */
  readonly commit: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
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
export function mirroredAddress(url: string, access: HubAccess): string {
  return url.startsWith(`${hub}/`) ? `${endpointOf(access)}${url.slice(hub.length)}` : url;
}

/** The token for an address: undefined for all that is not at the endpoint. */
export function tokenFor(url: string, access: HubAccess): string | undefined {
  return isAtHub(url, access) ? access.token : undefined;
}

/** Whether the hub itself is asked or answers, and not where it redirects to. */
export function isAtHub(url: string, access: HubAccess): boolean {
  return new URL(url).origin === new URL(endpointOf(access)).origin;
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
    throw errors.modelNotServed(file, problem(notServedTexts.onePart));
  }
  return { ...place, file };
}

/** A path that is one on every system, and stays below the folder that it is put in. */
export function isFilePath(path: string): boolean {
  const isName = (name: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{N} ._+()=,-]{0,199}$/u.test(name);
  return /\.gguf$/i.test(path) && path.split('/').every((name) => isName(name) && !/[. ]$/.test(name));
}

/** Whether a file is one part of a model that lies in several. */
export function isPartOfSeveral(path: string): boolean {
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

/** Address of the file at a revision. */
export function fileAddress(
  endpoint: string,
  { owner, repository, file = '' }: HubReference,
  revision: string,
): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${owner}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/** Where the hub is, without a slash at its end. Throws errors.hubEndpoint. */
export function endpointOf({ endpoint = hub }: HubAccess): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) throw errors.hubEndpoint(endpoint);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
