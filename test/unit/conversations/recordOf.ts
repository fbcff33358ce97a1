import type { ReadingRecord } from '../../../extension/protocol/conversation.ts';

/** What was read under a question: lines of one file. */
export function recordOf(question: string): ReadingRecord {
  return {
    question,
    folders: ['w'],
    pins: [],
    tokens: 12,
    everything: false,
    files: [{ workspace: 'w', path: 'src/a.ts', hash: '0123456789abcdef' }],
    passages: [
      [0, 9, 12],
      [0, 1, 4],
    ],
    coverage: {
      filesFound: 2,
      filesRead: 1,
      skipped: [{ workspace: 'w', path: 'a.pem', reason: 'secret' }],
    },
  };
}
