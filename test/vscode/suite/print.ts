/** What a suite shows: in the host, the workbench writes its own log to the same console. */

/** Stands in each line of the suite where ASK_CODEBASE_TEST_MARK is 1. */
export const suiteMark = '\u2063';
export const markVariable = 'ASK_CODEBASE_TEST_MARK';

/** Prints like console.log, whose lines the runner takes for the workbench's and leaves out. */
export function print(first: unknown = '', ...rest: unknown[]): void {
  // VS Code lets nobody replace console.log itself.
  console.log(`${process.env[markVariable] === '1' ? suiteMark : ''}${String(first)}`, ...rest);
}
