/** What a screen reader is told while an answer comes: whole sentences now and then, never single tokens. */

const pauseMilliseconds = 4_000;

export interface Announcer {
  /** Said soon. A status that was not said yet is replaced by a later one. */
  readonly status: (sentence: string) => void;
  /** The whole text of an answer so far; what is new in it is said up to the end of a sentence, or all of it at its end. */
  readonly answer: (exchangeId: string, text: string, ended: boolean) => void;
}

/** @param say puts a text into the live region, in the place of the one before */
export function createAnnouncer(say: (text: string) => void): Announcer {
  let status = '';
  let answer: { readonly id: string; text: string; said: number; ended: boolean } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const flush = (): void => {
    timer = null;
    const parts = [status];
    status = '';
    if (answer !== null) {
      const end = answer.ended ? answer.text.length : endOfSentences(answer.text, answer.said);
      parts.push(answer.text.slice(answer.said, end).trim());
      answer.said = end;
      if (answer.ended) answer = null;
    }
    const text = parts.filter((part) => part !== '').join(' ');
    if (text !== '') say(text);
  };
  const soon = (): void => {
    timer ??= setTimeout(flush, pauseMilliseconds);
  };

  return {
    status: (sentence) => {
      status = sentence;
      soon();
    },
    answer: (id, text, ended) => {
      if (answer?.id !== id) {
        // What had come before the page was there is not read again.
        if (ended) return;
        if (answer?.ended === true) flush();
        answer = { id, text, said: text.length, ended };
        return;
      }
      answer.text = text;
      answer.ended = ended;
      soon();
    },
  };
}

/** The index after the last end of a sentence or line from `from` on; `from` when there is none. */
function endOfSentences(text: string, from: number): number {
  const tail = text.slice(from);
  const ends = [...tail.matchAll(/[.!?。！？:]\s|\n/gu)];
  const last = ends.at(-1);
  return last === undefined ? from : from + last.index + last[0].length;
}
