import type { AnswerFacts, Conversation, Exchange } from '../protocol/conversation.ts';
import type { LineRange } from '../protocol/nouns.ts';

/** A conversation for other people: questions, answers, where they come from and what was read. */
export function conversationMarkdown(conversation: Conversation): string {
  return (
    [`# ${oneLine(conversation.title)}`, ...conversation.exchanges.map(exchangeMarkdown)].join('\n\n') + '\n'
  );
}

function exchangeMarkdown({ question, text, state, facts, failure }: Exchange): string {
  const parts = [
    question
      .trim()
      .split('\n')
      .map((line) => `> ${line}`.trimEnd())
      .join('\n'),
  ];
  if (text.trim() !== '') parts.push(text.trim());
  if (state !== 'answered') parts.push(`*${failure?.message ?? state}*`);
  if (facts !== undefined) parts.push(factsMarkdown(facts));
  return parts.join('\n\n');
}

function factsMarkdown({ citations, evidence, coverage, statistics, model, device }: AnswerFacts): string {
  const sources = citations.length > 0 ? citations : evidence;
  const list = sources.map((place) => `- \`${placeText(place)}\``);
  const read = `Read ${coverage.filesRead} of ${coverage.filesFound} files, ${statistics.documentTokens} tokens, kept ${statistics.keptTokens} (${oneLine(model)}, ${oneLine(device)}).`;
  return [...(list.length > 0 ? ['Sources:\n', ...list, ''] : []), read].join('\n');
}

function placeText({ path, startLine, endLine }: LineRange): string {
  return startLine === endLine ? `${path}:${startLine}` : `${path}:${startLine}-${endLine}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
