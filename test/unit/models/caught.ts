import { AskError } from '../../../extension/errors.ts';

/** The AskError an action ends with, or undefined when it succeeds; any other failure is the test's. */
export async function caught(action: () => unknown): Promise<AskError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (error instanceof AskError) return error;
    throw error;
  }
}
