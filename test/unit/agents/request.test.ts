import { describe, expect, test } from 'vitest';
import { parseApiRequest, parseToolInput } from '../../../extension/agents/request.ts';
import { isAskError } from '../../../extension/errors.ts';

const question = 'What does a ticket cost?';

describe('the input of the tool', () => {
  test.each([
    [{ question }],
    [{ question, paths: ['src', 'src/a.ts:3-4'], readingLimit: 'all', maxAnswerTokens: 1 }],
    [{ question, readingLimit: 5_000 }],
  ])('%j', (input) => {
    expect(parseToolInput(input)).toEqual(input);
  });

  test.each<[input: unknown, named: RegExp]>([
    [undefined, /expected object/],
    ['text', /expected object/],
    [{}, /question: .*expected string/],
    [{ question: '' }, /question/],
    [{ question: ' \n' }, /question: is empty/],
    [{ question: 'a'.repeat(200_000) }, /question/],
    [{ question: 7 }, /question/],
    [{ question, paths: 'src' }, /paths/],
    [{ question, paths: [''] }, /paths\.0/],
    [{ question, paths: Array(101).fill('a') }, /paths/],
    [{ question, readingLimit: 0 }, /readingLimit/],
    [{ question, readingLimit: 'most' }, /readingLimit/],
    [{ question, maxAnswerTokens: 1.5 }, /maxAnswerTokens/],
    [{ question, model: '/etc/passwd' }, /model/],
  ])('%j is refused', (input, named) => {
    expect(refusal(() => parseToolInput(input))).toMatch(named);
  });
});

describe('what another extension asks with', () => {
  const pin = { kind: 'lines', workspace: 'ferry', path: 'a.ts', startLine: 1, endLine: 2 } as const;
  test.each([
    [{}],
    [{ pins: [pin], history: [{ question, answer: 'a' }], readingLimit: 'all', maxAnswerTokens: 9 }],
    [{ background: true, signal: new AbortController().signal }],
  ])('%j', (options) => {
    expect(parseApiRequest({ question, options })).toEqual({ question, options });
  });

  test.each<[question: unknown, options: unknown, named: RegExp]>([
    [undefined, {}, /question/],
    ['', {}, /question/],
    [question, null, /options/],
    [question, { signal: {} }, /options\.signal/],
    [question, { pins: [{ kind: 'file', path: 'a' }] }, /options\.pins\.0\.workspace/],
    [question, { history: ['a'] }, /options\.history\.0/],
    [question, { background: false }, /options\.background/],
    [question, { readingLimit: -1 }, /options\.readingLimit/],
    [question, { folders: ['/'] }, /folders/],
  ])('%j with %j is refused', (asked, options, named) => {
    expect(refusal(() => parseApiRequest({ question: asked, options }))).toMatch(named);
  });
});

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isAskError(error, 'badArgument')) return error.message;
    throw error;
  }
  throw new Error('It was taken.');
}
