import type { AskWindow } from '../views/askWindow.ts';
import type { AskCodebaseApi } from './api.ts';
import { parseApiRequest } from './request.ts';

/** What `activate` gives to other extensions. */
export function exportedApi(ask: AskWindow['ask']): AskCodebaseApi {
  return {
    apiVersion: 1,
    ask: async function* (...[question, options = {}]) {
      const checked = parseApiRequest({ question, options });
      const { signal = new AbortController().signal, pins = [], history = [], ...rest } = checked.options;
      yield* ask({ question: checked.question, pins, history, answerSoFar: '', ...rest }, signal);
    },
  };
}
