/** How fast something arrives, and when it will all be there. */
import type { ModelProgress } from './modelFile.ts';

/** Over the last so long a speed is measured. */
const WINDOW_MILLISECONDS = 5_000;
/** Before that, a speed says nothing. */
const FIRST_SPEED_MILLISECONDS = 1_000;
/** Nobody reads faster. */
const REPORT_MILLISECONDS = 100;

type Unmeasured = Omit<ModelProgress, 'bytesPerSecond' | 'secondsLeft'>;

/** Reports the beginning and the end of each stage, and between them ten times a second, with the speed added. */
export function pacedProgress(
  report: (progress: ModelProgress) => void,
  now: () => number = () => performance.now(),
): (progress: Unmeasured) => void {
  let before: Unmeasured | undefined;
  let samples: readonly { readonly at: number; readonly done: number }[] = [];
  let nextAt = 0;
  return (progress) => {
    const at = now();
    const { stage, source, done, total } = progress;
    // Going back means that it begins anew.
    const goesOn = before?.stage === stage && before.source === source && before.done <= done;
    before = progress;
    if (!goesOn) samples = [];
    else if (at < nextAt && done < total) return;
    nextAt = at + REPORT_MILLISECONDS;
    samples = [...samples, { at, done }];
    // One that is older than the window stays, so that a standstill lowers the speed.
    while (samples.length > 2 && at - samples[1]!.at > WINDOW_MILLISECONDS) samples = samples.slice(1);
    report({ ...progress, ...speed(samples[0]!, { at, done }, total) });
  };
}

function speed(
  from: { readonly at: number; readonly done: number },
  to: { readonly at: number; readonly done: number },
  total: number,
): Pick<ModelProgress, 'bytesPerSecond' | 'secondsLeft'> {
  const milliseconds = to.at - from.at;
  const bytes = to.done - from.done;
  if (milliseconds < FIRST_SPEED_MILLISECONDS || bytes <= 0) return {};
  const bytesPerSecond = (1000 * bytes) / milliseconds;
  return { bytesPerSecond, secondsLeft: (total - to.done) / bytesPerSecond };
}
