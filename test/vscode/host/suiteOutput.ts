/** Between the suite and the runner of the host: the workbench writes its own log to the same console. */

/** Before each line of the suite, where ASK_CODEBASE_TEST_MARK asks for it. */
export const suiteMark = '\u2063';
export const markVariable = 'ASK_CODEBASE_TEST_MARK';
