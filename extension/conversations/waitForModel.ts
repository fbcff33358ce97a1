/** A question whose model is not on this machine: the user decides, may pause the download, and goes on with it. */
import type { Activity } from '../protocol/chat.ts';
import type { ChatParts } from './chatParts.ts';
import type { Job } from './job.ts';

export interface ModelDoor {
  /** Resolves once the user wants it. */
  readonly decide: (activity: Activity) => Promise<unknown>;
  readonly show: (activity: Activity) => void;
}

/** Resolves when the model is there. Throws what finding and getting it throws, and when the job is stopped. */
export async function waitForModel(
  job: Job,
  { missingModel, getModel }: Pick<ChatParts, 'missingModel' | 'getModel'>,
  { decide, show }: ModelDoor,
): Promise<void> {
  const { signal } = job.stop;
  for (;;) {
    const missing = await missingModel(signal);
    if (missing === null) return;
    await decide({ kind: 'needsModel', ...missing });
    const pause = new AbortController();
    const ended = AbortSignal.any([signal, pause.signal]);
    job.pause = () => pause.abort();
    try {
      await getModel(({ event: _, ...progress }) => {
        if (!ended.aborted) show({ kind: 'progress', ...progress });
      }, ended);
      return;
    } catch (error) {
      if (signal.aborted || !pause.signal.aborted) throw error;
    } finally {
      delete job.pause;
    }
  }
}
