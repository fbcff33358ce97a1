/**
 * What VS Code calls in its extension host: runs the suites that ASK_CODEBASE_TEST_SUITES names, separated by commas.
 * The counts and the failures go to the JSON file that ASK_CODEBASE_TEST_REPORT names; ASK_CODEBASE_TEST_GREP chooses
 * among the tests.
 */
import { writeFile } from 'node:fs/promises';
import Mocha from 'mocha';
import { print } from './print.ts';

const TEST_LIMIT_MILLISECONDS = 120_000;

/** Rejects when a test failed, which makes VS Code end with a code other than 0. */
export async function run(): Promise<void> {
  Mocha.reporters.Base.consoleLog = print;
  const grep = process.env['ASK_CODEBASE_TEST_GREP'];
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: TEST_LIMIT_MILLISECONDS,
    forbidOnly: true,
    ...(grep === undefined ? {} : { grep }),
  });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  // The bundler puts every file that fits the pattern into the bundle; another name is an error.
  for (const name of required('ASK_CODEBASE_TEST_SUITES').split(',')) await import(`./${name}.test.ts`);

  const failed: object[] = [];
  const { passes, failures, pending } = await new Promise<Mocha.Stats>((resolve, reject) => {
    const runner = mocha.run(() => {
      if (runner.stats === undefined) reject(new Error('mocha counted nothing'));
      else resolve(runner.stats);
    });
    runner.on('fail', (test, error: Error) => {
      const failureMessages = [error.stack ?? error.message];
      failed.push({ status: 'failed', fullName: test.fullTitle(), failureMessages });
    });
  });
  // The names are those of vitest's reports.
  const report = {
    numPassedTests: passes,
    numFailedTests: failures,
    numPendingTests: pending,
    testResults: [{ name: required('ASK_CODEBASE_TEST_RUN'), assertionResults: failed }],
  };
  await writeFile(required('ASK_CODEBASE_TEST_REPORT'), JSON.stringify(report));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}
