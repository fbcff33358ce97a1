/** Why a file did not arrive: the reasons inside errors.downloadFailed, errors.cacheFolderNotWritable and cudaErrors.notFetched. */
import type { Sentence, SentenceArguments } from '../protocol/sentence.ts';

export const downloadTexts = {
  timesInARow: '{0}, {1} times in a row',
  anotherFile: 'the hub has another file now (sha256 {0})',
  silent: 'the server sent nothing for {0} s',
  otherLength: 'it has {0} bytes, {1} expected',
  otherRange: 'it answered a request from byte {0} with "{1}"',
  changed: 'the file changed meanwhile',
  tooLong: 'it sends more than the {0} bytes expected',
  ended: 'the server ended after {0} of {1} bytes',
  notAList: 'the answer is not the list of files that it should be',
  redirectedTooOften: 'it redirects more than {0} times',
  redirectedNowhere: 'it redirects to what is no address',
  withoutTls: 'it redirects to an address without TLS ({0})',
  notMade: 'it cannot be made there (a read-only disk?)',
  noPython: 'there is no Python with pip',
  noFile: '{0} brought no file',
  programFailed: '{0} ended with {1}: {2}',
  login: 'HTTP {0} (it asks for a login)',
  forbidden: 'HTTP {0} (access is forbidden)',
  notThere: 'HTTP {0} (there is no such file)',
  proxyLogin: 'HTTP {0} (the proxy asks for a login)',
  gone: 'HTTP {0} (the file is gone)',
} as const;

/** One of them, with what stands in it. */
export function downloadProblem(
  template: (typeof downloadTexts)[keyof typeof downloadTexts],
  ...args: SentenceArguments
): Sentence {
  return { template, args };
}
