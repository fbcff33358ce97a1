/**
 * The index of a workspace: every file is read once by the model, independently of any question, so that a question is
 * compared with all of it without reading. What is indexed already is not read again, so that the work can stop at any
 * moment and go on later, and an edited file costs its own tokens alone.
 */
import type { AskParts, AskRequest } from './ask.ts';
import { AskError, errors } from './errors.ts';
import { chunkedFile, chunkSpans } from './indexedFiles.ts';
import { loadModel } from './loadModel.ts';
import type { ProgressEvent } from './protocol/answerEvents.ts';
import type { StateFolder } from './protocol/engine.ts';
import { passageOf } from './retrieval/lines.ts';
import { isSkipped } from './workspace/readSourceDocument.ts';

export interface IndexRequest extends Pick<
  AskRequest,
  'folders' | 'model' | 'device' | 'kvCacheType' | 'background'
> {
  readonly states: StateFolder;
}

/** How far it is; the last one tells what there is. */
export interface IndexProgress {
  readonly filesDone: number;
  /** Files found. */
  readonly filesTotal: number;
  /** Of those done, the ones that can be read. */
  readonly readable: number;
  /** Of those, the ones in the index; fewer when the folder of states may hold no more. */
  readonly indexed: number;
  /** Tokens and seconds of what was read now. */
  readonly tokens: number;
  readonly seconds: number;
  /** False: for this model no index is made. */
  readonly served: boolean;
  /** It has not begun yet: the heads of the model that rank have to be found first, once. */
  readonly findsHeads: boolean;
}

/**
 * Indexes what is not indexed yet.
 * @param onLoading told of the model's download and loading
 * @throws AskError of any reason but those of questions; `cancelled` once the signal is aborted
 */
export async function* indexWorkspace(
  request: IndexRequest,
  parts: AskParts,
  onLoading: (event: ProgressEvent) => void,
  signal: AbortSignal,
): AsyncGenerator<IndexProgress, void, undefined> {
  try {
    yield* index(request, parts, onLoading, signal);
  } catch (error) {
    if (signal.aborted) throw errors.cancelled();
    if (error instanceof AskError) throw error;
    throw errors.internal(error instanceof Error ? error.message : String(error), error);
  }
}

async function* index(
  request: IndexRequest,
  parts: AskParts,
  onLoading: (event: ProgressEvent) => void,
  signal: AbortSignal,
): AsyncGenerator<IndexProgress, void, undefined> {
  const { states, background } = request;
  const common = { states, ...(background === undefined ? {} : { background }) };
  const { engine } = await loadModel(request, parts, onLoading, signal);
  const { files } = await parts.findFiles(request.folders, { signal });
  let progress: IndexProgress = {
    ...{ filesDone: 0, filesTotal: files.length, readable: 0, indexed: 0, tokens: 0, seconds: 0 },
    ...{ served: true, findsHeads: false },
  };
  yield progress;
  const { knowsHeads } = await engine.request('findIndexed', { files: [], ...common }, signal);
  if (!knowsHeads) {
    yield { ...progress, findsHeads: true };
    await engine.request('findHeads', background === undefined ? {} : { background }, signal);
  }
  let hasRoom = true;
  for await (const document of parts.readDocuments(files, { signal })) {
    progress = { ...progress, filesDone: progress.filesDone + 1 };
    if (!isSkipped(document)) {
      progress = { ...progress, readable: progress.readable + 1 };
      const { path, textHash, chunkStarts } = chunkedFile(document);
      const file = { path, textHash, chunkStarts };
      const { served, indexed } = await engine.request('findIndexed', { files: [file], ...common }, signal);
      if (!served) {
        yield { ...progress, served };
        return;
      }
      if (indexed[0] === true) progress = { ...progress, indexed: progress.indexed + 1 };
      else if (hasRoom) {
        const chunks = chunkSpans(document).map((span) => passageOf(document, span));
        const begin = performance.now();
        const { tokens } = await engine.request('index', { file, chunks, ...common }, signal);
        hasRoom = tokens !== null;
        if (tokens !== null) {
          const seconds = progress.seconds + (performance.now() - begin) / 1000;
          progress = {
            ...progress,
            indexed: progress.indexed + 1,
            tokens: progress.tokens + tokens,
            seconds,
          };
        }
      }
    }
    yield progress;
  }
}
