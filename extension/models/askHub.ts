/** What the hub says of a file or a repository, before anything is fetched. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type AskError } from '../errors.ts';
import { downloadProblem, downloadTexts } from './downloadProblems.ts';
import {
  follow,
  isTemporary,
  linkedSha256,
  NetworkError,
  retryAfter,
  ServerError,
  sha256In,
  statusProblem,
  type HttpRequest,
} from './http.ts';
import {
  endpointOf,
  fileAddress,
  hubPage,
  hubReferenceText,
  isFilePath,
  isPartOfSeveral,
  tokenFor,
  type HubAccess,
  type HubRecord,
  type HubReference,
} from './huggingFace.ts';

const TRY_LIMIT = 3;
const FIRST_WAIT_MILLISECONDS = 1_000;
const LONGEST_WAIT_MILLISECONDS = 30_000;
/** For what the hub says of a file, which is short. */
const ANSWER_MILLISECONDS = 30_000;
/** Of a repository's files, so many are named in an error. */
const MOST_NAMED_FILES = 30;

export interface HubOptions {
  readonly signal: AbortSignal;
  readonly access?: HubAccess;
  /** Between two tries; a test does not wait. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A GGUF file of a repository. */
export interface HubFile {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Asks the hub for a file's size, checksum and commit.
 * Throws errors.hubNoChecksum where it does not give them, errors.hubGated, errors.hubTokenRefused,
 * errors.hubNoRepository, errors.hubNoFile, errors.hubNeedsFile with the names when the reference has none,
 * errors.downloadFailed and errors.cancelled.
 */
export async function askHubFile(reference: HubReference, options: HubOptions): Promise<HubRecord> {
  if (reference.file === undefined) throw await needsFile(reference, options);
  const url = fileAddress(endpointOf(options.access ?? {}), reference, reference.revision);
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
  const { owner, repository, revision } = reference;
  const at = encodeURIComponent(revision);
  const url = `${endpointOf(options.access ?? {})}/api/models/${owner}/${repository}/revision/${at}?blobs=true`;
  const answer = await askHub(reference, { url, isEnough: () => false }, options);
  const answered: unknown = await answer.json().catch(() => undefined);
  const siblings = fieldOf(answered, 'siblings');
  if (!Array.isArray(siblings)) {
    throw errors.downloadFailed(url, [downloadProblem(downloadTexts.notAList)]);
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
  access: HubAccess,
): AskError | undefined {
  if (status !== 401 && status !== 403 && status !== 404) return undefined;
  const name = `${reference.owner}/${reference.repository}`;
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo' || status === 403) return errors.hubGated(name, hubPage(reference));
  if (status === 401 && access.token !== undefined && code !== 'RepoNotFound') {
    return errors.hubTokenRefused(new URL(endpointOf(access)).host);
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
    const problem =
      answer instanceof Response
        ? statusProblem(answer.status)
        : answer instanceof ServerError
          ? answer.problem
          : answer.message;
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

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
