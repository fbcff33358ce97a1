import { expect, test } from 'vitest';
import { longestLinkQuestion, parseDeepLink, type DeepLink } from '../../../extension/agents/deepLink.ts';

const ask = '/ask';
const cases: readonly (readonly [name: string, path: string, query: string, expected: DeepLink])[] = [
  ['a question', ask, 'q=What does a ticket cost?', { question: 'What does a ticket cost?' }],
  ['signs of a query belong to it', ask, 'q=a&b=c&q=d?e#f+g', { question: 'a&b=c&q=d?e#f+g' }],
  ['Markdown and HTML stay text', ask, 'q=[a](command:x) <b>', { question: '[a](command:x) <b>' }],
  ['what pushes text out of sight', ask, `q=a${'\n'.repeat(900)}b\t\r\nc`, { question: 'a b c' }],
  ['spaces of other widths', ask, 'q=a\u00a0\u3000\u2003b\u2028c', { question: 'a b c' }],
  ['text turned around', ask, 'q=a\u202eb\u2066c\u200fd', { question: 'a<U+202E>b<U+2066>c<U+200F>d' }],
  ['control characters', ask, 'q=a\u0000b\u001b[2Jc\u009bd', { question: 'a<U+0000>b<U+001B>[2Jc<U+009B>d' }],
  ['characters without width', ask, 'q=a\u200bb\u{e0041}c', { question: 'a<U+200B>b<U+E0041>c' }],
  ['emoji and other scripts', ask, 'q=費用は? 👨‍👩‍👧', { question: '費用は? 👨‍👩‍👧' }],
  ['the longest', ask, `q=${'a'.repeat(longestLinkQuestion)}`, { question: 'a'.repeat(longestLinkQuestion) }],
  ['longer', ask, `q=${'a'.repeat(longestLinkQuestion + 1)}`, { problem: 'tooLong' }],
  ['longer once all is seen', ask, `q=${'\u200b'.repeat(200)}`, { problem: 'tooLong' }],
  ['nothing', ask, '', { problem: 'noQuestion' }],
  ['an empty question', ask, 'q=', { problem: 'noQuestion' }],
  ['white space', ask, 'q= \n\t ', { problem: 'noQuestion' }],
  ['another parameter first', ask, 'x=1&q=a', { problem: 'noQuestion' }],
  ['no path', '', 'q=a', { problem: 'unknownPath' }],
  ['another path', '/run', 'q=a', { problem: 'unknownPath' }],
  ['a longer path', '/ask/../ask', 'q=a', { problem: 'unknownPath' }],
  ['a path with another case', '/Ask', 'q=a', { problem: 'unknownPath' }],
];

test.each(cases)('%s', (_, path, query, expected) => {
  expect(parseDeepLink({ path, query })).toEqual(expected);
});
