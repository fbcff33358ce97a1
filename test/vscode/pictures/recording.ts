/** Records what a window shows, in the time in which it is to be played. */
import type { CDPSession, Page } from 'playwright-core';

/** What the window showed from a moment of the played time on. */
export interface Frame {
  /** The bytes of a PNG file. */
  readonly png: Buffer;
  /** In milliseconds since the beginning of the recording. */
  readonly at: number;
}

interface Part {
  readonly begin: number;
  /** How long it is played at most, in milliseconds; what took longer is played faster. */
  readonly longest: number;
  /** Between two frames, in milliseconds. */
  readonly pause: number;
}

/** Of the shortest frame; a GIF cannot show many more in a second. */
export const FRAME_MILLISECONDS = 80;
const WAITING_FRAME_MILLISECONDS = 400;

/** Starts to record a first part, played for `longest` milliseconds at most. The caller stops it. */
export async function startRecording(page: Page, longest: number): Promise<Recording> {
  const devtools = await page.context().newCDPSession(page);
  const recording = new Recording(devtools, longest);
  await devtools.send('Page.startScreencast', { format: 'png' });
  return recording;
}

/** Chromium sends a frame each time that it has drawn something, and the next when the last one is acknowledged. */
export class Recording {
  readonly #devtools: CDPSession;
  readonly #drawn: { readonly png: Buffer; readonly time: number }[] = [];
  readonly #parts: Part[] = [];
  #away = 0;
  #isAway = false;

  constructor(devtools: CDPSession, longest: number) {
    this.#devtools = devtools;
    this.beginPart(longest);
    devtools.on('Page.screencastFrame', ({ data, sessionId }) => {
      if (!this.#isAway) this.#drawn.push({ png: Buffer.from(data, 'base64'), time: this.#now() });
      setTimeout(() => {
        devtools.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined);
      }, this.#parts.at(-1)?.pause);
    });
  }

  /** From now on something else happens, played for `longest` milliseconds at most. */
  beginPart(longest: number): void {
    this.#parts.push({ begin: this.#now(), longest, pause: FRAME_MILLISECONDS });
  }

  /** As `beginPart`, for waiting for the model: it needs the time that drawing takes, so there are fewer frames. */
  beginWaiting(longest: number): void {
    this.#parts.push({ begin: this.#now(), longest, pause: WAITING_FRAME_MILLISECONDS });
  }

  /** Does something that is not recorded, and takes no time in it. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    this.#isAway = true;
    try {
      return await work();
    } finally {
      this.#isAway = false;
      this.#away += performance.now() - began;
    }
  }

  async stop(): Promise<Frame[]> {
    await this.#devtools.send('Page.stopScreencast');
    const end = this.#now();
    await this.#devtools.detach();
    return this.#drawn.map(({ png, time }) => ({ png, at: playedAt(time, this.#parts, end) }));
  }

  #now(): number {
    return performance.now() - this.#away;
  }
}

function playedAt(time: number, parts: readonly Part[], end: number): number {
  let played = 0;
  for (const [i, { begin, longest }] of parts.entries()) {
    if (time < begin) break;
    const length = (parts[i + 1]?.begin ?? end) - begin;
    const speed = Math.max(1, length / longest);
    played += Math.min(time - begin, length) / speed;
  }
  return played;
}
