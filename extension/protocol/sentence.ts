/** English, with `{0}`, `{1}` … where the arguments go, so that it can be translated. */
export interface Sentence {
  readonly template: string;
  readonly args: SentenceArguments;
}

/** A sentence inside of another one is a reason: it is translated with it. */
export type SentenceArgument = string | number | Sentence;
export type SentenceArguments = readonly SentenceArgument[];

export function isSentence(argument: unknown): argument is Sentence {
  return typeof argument === 'object' && argument !== null && 'template' in argument;
}

/** Puts the arguments where `{0}`, `{1}` … stand. */
export function fillTemplate(template: string, args: SentenceArguments): string {
  return template.replace(/\{(\d+)\}/g, (place, index) => {
    const argument = args[Number(index)];
    return isSentence(argument) ? fillTemplate(argument.template, argument.args) : String(argument ?? place);
  });
}

/** Several, one after the other. */
export function joinedSentences(parts: SentenceArguments): Sentence {
  return { template: parts.map((_, index) => `{${index}}`).join('; '), args: parts };
}
