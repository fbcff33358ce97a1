import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAnnouncer } from '../../../webview/announcer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function announced() {
  const said: string[] = [];
  return { said, announcer: createAnnouncer((text) => said.push(text)) };
}

it('says whole sentences, and the rest at the end', () => {
  const { said, announcer } = announced();
  const words = 'It is read once. Then it is kept until the folder changes'.split(' ');
  for (let count = 0; count <= words.length; count += 1) {
    announcer.answer('e1', words.slice(0, count).join(' '), false);
  }
  vi.runAllTimers();
  expect(said).toEqual(['It is read once.']);
  announcer.answer('e1', words.join(' '), true);
  vi.runAllTimers();
  expect(said).toEqual(['It is read once.', 'Then it is kept until the folder changes']);
});

it('says the last of several states with the text', () => {
  const { said, announcer } = announced();
  announcer.status('Loading');
  announcer.status('Reading');
  vi.runAllTimers();
  expect(said).toEqual(['Reading']);
});

it('does not read again what had come before', () => {
  const { said, announcer } = announced();
  announcer.answer('e1', 'Already shown. ', false);
  announcer.answer('e1', 'Already shown. New. ', false);
  vi.runAllTimers();
  announcer.answer('old', 'An old answer.', true);
  vi.runAllTimers();
  expect(said).toEqual(['New.']);
});

it('says the rest of an answer before the next one begins', () => {
  const { said, announcer } = announced();
  announcer.answer('e1', '', false);
  announcer.answer('e1', 'The end', true);
  announcer.answer('e2', '', false);
  expect(said).toEqual(['The end']);
});
