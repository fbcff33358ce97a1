import type { Passage } from './nouns.ts';

/** A passage as the model reads it: a line that names the place, then its lines. Ends in a line break. */
export function passageText(passage: Passage): string {
  const body = passage.text.endsWith('\n') ? passage.text : `${passage.text}\n`;
  return `${passageHeader(passage)}${body}`;
}

/** The first line of `passageText`, its line break included. */
export function passageHeader(passage: Passage): string {
  return `File ${passage.path}, lines ${passage.startLine}-${passage.endLine}:\n`;
}
