/** Runs two works at once. When one fails the other is aborted, and the first failure is thrown once both have ended. */
export async function bothOrNeither<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const failed = new AbortController();
  const anySignal = AbortSignal.any([signal, failed.signal]);
  const both = [first(anySignal), second(anySignal)] as const;
  try {
    return await Promise.all(both);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(both);
    throw error;
  }
}
