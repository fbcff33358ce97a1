/**
 * Where an answer ends without the model saying so: a small one goes on as if the next question were asked, in the form
 * in which the prompt gives questions.
 */
export const questionLabel = '\nQuestion:';

export interface StreamedText {
  /** Belongs to the answer. */
  readonly text: string;
  /** The beginning of what may become the label. */
  readonly held: string;
  /** The label is there, and the answer ends before it. */
  readonly ended: boolean;
}

/** Parts what was written since the text was given out for the last time, what was held then included. */
export function partAtLabel(written: string): StreamedText {
  const at = written.indexOf(questionLabel);
  if (at >= 0) return { text: written.slice(0, at), held: '', ended: true };
  for (let length = Math.min(questionLabel.length - 1, written.length); length > 0; length--) {
    if (!questionLabel.startsWith(written.slice(-length))) continue;
    return { text: written.slice(0, -length), held: written.slice(-length), ended: false };
  }
  return { text: written, held: '', ended: false };
}
