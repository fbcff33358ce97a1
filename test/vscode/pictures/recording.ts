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
  /** How long it is played at most; what took longer is played faster. */
  readonly longest: number;
}

/** Of the shortest frame; a GIF cannot show many more in a second. */
export const FRAME_MILLISECONDS = 80;
const WAITING_FRAME_MILLISECONDS = 250;

/** Starts to record. The caller stops it. */
export async function startRecording(page: Page): Promise<Recording> {
  const devtools = await page.context().newCDPSession(page);
  const recording = new Recording(devtools);
  await devtools.send('Page.startScreencast', { format: 'png' });
  return recording;
}

/** Chromium sends a frame each time that it has drawn something, and the next when the last one is acknowledged. */
export class Recording {
  readonly #devtools: CDPSession;
  readonly #drawn: { readonly png: Buffer; readonly time: number }[] = [];
  readonly #parts: Part[];
  #away = 0;
  #isAway = false;

  constructor(devtools: CDPSession) {
    this.#devtools = devtools;
    this.#parts = [{ begin: performance.now(), longest: Infinity }];
    devtools.on('Page.screencastFrame', ({ data, sessionId }) => {
      if (!this.#isAway) this.#drawn.push({ png: Buffer.from(data, 'base64'), time: this.#now() });
      setTimeout(() => {
        devtools.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined);
      }, this.#pause());
    });
  }

  /** From now on something else happens. @param longest milliseconds that it is played at most */
  beginPart(longest = Infinity): void {
    this.#parts.push({ begin: this.#now(), longest });
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

  /** Drawing takes time from the model: where waiting is played faster, fewer frames are enough. */
  #pause(): number {
    return this.#parts.at(-1)?.longest === Infinity ? FRAME_MILLISECONDS : WAITING_FRAME_MILLISECONDS;
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
