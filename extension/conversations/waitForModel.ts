/** A question whose model is not on this machine: the user decides, may pause the download, and goes on with it. */
import type { Activity } from '../protocol/chat.ts';
import type { ChatParts } from './chatParts.ts';
import type { Decision, Job } from './job.ts';

export interface ModelDoor {
  /** Resolves once the user has said which is wanted, or another model was set. */
  readonly decide: (activity: Activity) => Promise<Decision>;
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
    const decision = await decide({ kind: 'needsModel', ...missing });
    // Nothing that was not offered is fetched.
    const wanted = [missing, ...(missing.others ?? [])].find(
      ({ name }) => typeof decision === 'object' && name === decision.model,
    );
    if (wanted === undefined) continue;
    const pause = new AbortController();
    const ended = AbortSignal.any([signal, pause.signal]);
    job.pause = () => pause.abort();
    try {
      await getModel(
        wanted.name,
        ({ event: _, ...progress }) => {
          if (!ended.aborted) show({ kind: 'progress', ...progress });
        },
        ended,
      );
      return;
    } catch (error) {
      if (signal.aborted || !pause.signal.aborted) throw error;
    } finally {
      delete job.pause;
    }
  }
}
