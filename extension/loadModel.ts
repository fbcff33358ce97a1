import type { AskEngine, AskParts, AskRequest } from './ask.ts';
import { bothOrNeither } from './bothOrNeither.ts';
import type { ModelProgress } from './models/modelFile.ts';
import type { ProgressEvent } from './protocol/answerEvents.ts';
import type { LoadResult } from './protocol/engine.ts';

/**
 * Makes the model ready while the engine starts.
 * @throws AskError what finding, getting and loading a model throws
 */
export async function loadModel(
  request: Pick<AskRequest, 'model' | 'device' | 'kvCacheType'>,
  parts: Pick<AskParts, 'engine' | 'resolveModel'>,
  emit: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<{ engine: AskEngine; loaded: LoadResult }> {
  const [engine, model] = await bothOrNeither(signal, parts.engine, (signal) =>
    parts.resolveModel(request.model, {
      signal,
      onProgress: (progress) => emit(modelProgressEvent(progress)),
    }),
  );
  emit({ event: 'progress', stage: 'loading', done: 0, total: 1 });
  const { device, kvCacheType } = request;
  const isOwnFile = model.entry !== null;
  const params = { modelPath: model.path, isOwnFile, device, kvCacheType };
  const loaded = await engine.request('load', params, signal);
  emit({ event: 'progress', stage: 'loading', done: 1, total: 1 });
  return { engine, loaded };
}

/** How a model's download, or the check of its file, is told. */
export function modelProgressEvent({
  stage,
  done,
  total,
  secondsLeft,
  ...transfer
}: ModelProgress): ProgressEvent {
  return {
    ...{ event: 'progress', stage, done, total },
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
    ...(stage === 'downloading' ? { transfer } : {}),
  };
}
