/**
 * Runs the extension in a real VS Code: the suites of test/vscode/suite in its extension host, then the tests of
 * test/vscode/ui by clicks. Without options all of it.
 *
 *   --run NAME     only this run of suiteRuns.ts, or `ui`; may be given several times
 *   --grep TEXT    only the tests whose name has this
 *   --report FILE  writes the counts and the failures there, as JSON with vitest's names
 *
 * On Linux VS Code is the host that install.ts gets; ASK_CODEBASE_VSCODE names the program of another one for the
 * suites. Elsewhere @vscode/test-electron downloads VS Code, and the tests by clicks do not run.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  downloadAndUnzipVSCode,
  resolveCliArgsFromVSCodeExecutablePath,
  runTests,
} from '@vscode/test-electron';
import { exitCodeOf, guardFolder, spawnGuarded } from './host/guarded.ts';
import { installHost } from './host/install.ts';
import { installVsix, writeSettings } from './host/server.ts';
import { suiteRuns, type SuiteRun } from './suiteRuns.ts';

/** Of a report, by vitest's names; each of the results is a file's, which `test/run.mjs` reads. */
interface Counts {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: unknown[];
}

/** This program is dist/test/vscode.mjs. */
const root = resolve(import.meta.dirname, '../..');
const standIn = join(root, 'dist/test/code.mjs');
const total: Counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };

const { values: options } = parseArgs({
  options: {
    run: { type: 'string', multiple: true },
    grep: { type: 'string' },
    report: { type: 'string' },
  },
});
const canClick = process.platform === 'linux';
const names = [...suiteRuns.map(({ name }) => name), 'ui'];
const chosen = options.run ?? names;
for (const name of chosen) {
  if (!names.includes(name)) throw new Error(`There is no run "${name}"; there are ${names.join(', ')}.`);
}
await checkThatAllRun();

const folder = await mkdtemp(join(tmpdir(), 'ask-codebase-runs-'));
const releaseFolder = guardFolder(folder);
try {
  const executable = await vscodeExecutable();
  for (const run of suiteRuns) {
    if (chosen.includes(run.name)) await measured(run.name, async () => runSuites(run, executable));
  }
  if (chosen.includes('ui')) {
    if (canClick) await measured('ui', runClicks);
    else console.log('ui: not run, the host that is clicked on is for Linux');
  }
} finally {
  await rm(folder, { recursive: true, force: true });
  await releaseFolder();
}
if (options.report !== undefined) await writeFile(options.report, JSON.stringify(total));
const { numPassedTests, numFailedTests, numPendingTests } = total;
console.log(`VS Code: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
process.exitCode = numFailedTests === 0 && numPassedTests > 0 ? 0 : 1;

/** A suite that no run names would never run. */
async function checkThatAllRun(): Promise<void> {
  const named = new Set(suiteRuns.flatMap(({ suites }) => suites));
  const files = await readdir(join(root, 'test/vscode/suite'));
  const forgotten = files.filter(
    (file) => file.endsWith('.test.ts') && !named.has(file.slice(0, -'.test.ts'.length)),
  );
  if (forgotten.length > 0) throw new Error(`No run of suiteRuns.ts has ${forgotten.join(', ')}.`);
}

async function vscodeExecutable(): Promise<string> {
  const named = process.env['ASK_CODEBASE_VSCODE'];
  if (named !== undefined && named !== '') return named;
  if (!canClick) return downloadAndUnzipVSCode();
  await installHost((line) => console.log(line));
  await chmod(standIn, 0o755);
  return standIn;
}

/** Runs something that gives counts, adds them up and prints them. What throws counts as one failed test. */
async function measured(name: string, work: () => Promise<Counts>): Promise<void> {
  const began = performance.now();
  console.log(`\n-- ${name}`);
  const counts = await work().catch((error: unknown) => {
    console.error(error);
    const result = { name, status: 'failed', message: String(error), assertionResults: [] };
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, testResults: [result] };
  });
  total.numPassedTests += counts.numPassedTests;
  total.numFailedTests += counts.numFailedTests;
  total.numPendingTests += counts.numPendingTests;
  total.testResults.push(...counts.testResults);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`-- ${name}: ${counts.numPassedTests} passed, ${counts.numFailedTests} failed in ${seconds} s`);
}

async function runSuites(run: SuiteRun, executable: string): Promise<Counts> {
  if (run.workspaceTrust === true && executable !== standIn) {
    console.log(`${run.name}: not run, @vscode/test-electron turns the trust of workspaces off`);
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
  }
  const own = join(folder, run.name);
  const userDataFolder = join(own, 'user-data');
  const extensionsFolder = join(own, 'extensions');
  const report = join(own, 'report.json');
  await mkdir(join(own, 'workspace'), { recursive: true });
  const workspacePath = await run.workspace(join(own, 'workspace'));
  await writeSettings(userDataFolder, settingsFor(run, executable));
  const developmentFolder =
    run.installed === true ? await installPacked(own, executable, extensionsFolder) : root;
  const ended = runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: developmentFolder,
    extensionTestsPath: join(root, 'dist/test/vscodeSuite.cjs'),
    launchArgs: [
      ...(workspacePath === undefined ? [] : [workspacePath]),
      `--user-data-dir=${userDataFolder}`,
      `--extensions-dir=${extensionsFolder}`,
    ],
    extensionTestsEnv: {
      ...run.env,
      ASK_CODEBASE_TEST_RUN: run.name,
      ASK_CODEBASE_TEST_SUITES: run.suites.join(','),
      ASK_CODEBASE_TEST_REPORT: report,
      ASK_CODEBASE_TEST_TRUST: run.workspaceTrust === true ? '1' : undefined,
      ASK_CODEBASE_TEST_GREP: options.grep,
    },
  });
  return countsOf(ended, report);
}

/** A window of the host is a remote one, which has settings of the machine; on a desktop the user's file has all. */
function settingsFor(
  { settings = {}, machineSettings = {} }: SuiteRun,
  executable: string,
): Pick<SuiteRun, 'settings' | 'machineSettings'> {
  return executable === standIn
    ? { settings, machineSettings }
    : { settings: { ...settings, ...machineSettings } };
}

/**
 * Installs the packed extension. VS Code runs a suite only beside an extension under development, so an empty one
 * is made; its folder is given.
 */
async function installPacked(own: string, executable: string, extensionsFolder: string): Promise<string> {
  const vsix = join(root, `dist/vsix/ask-codebase-${process.platform}-${process.arch}.vsix`);
  if (!existsSync(vsix)) throw new Error(`${vsix} does not exist: npm run package makes it.`);
  if (executable === standIn) await installVsix(vsix, extensionsFolder);
  else {
    const [program, ...args] = resolveCliArgsFromVSCodeExecutablePath(executable);
    if (program === undefined) throw new Error(`${executable} has no command line`);
    const place = [`--extensions-dir=${extensionsFolder}`, `--user-data-dir=${join(own, 'installer')}`];
    execFileSync(program, [...args, ...place, '--install-extension', vsix], { stdio: 'inherit' });
  }
  const empty = join(own, 'empty-extension');
  await mkdir(empty);
  const manifest = { name: 'empty', publisher: 'tests', version: '1.0.0', engines: { vscode: '*' } };
  await writeFile(join(empty, 'package.json'), JSON.stringify(manifest));
  return empty;
}

async function runClicks(): Promise<Counts> {
  const report = join(folder, 'ui.json');
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--project', 'vscode', '--no-file-parallelism'],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...(options.grep === undefined ? [] : ['--testNamePattern', options.grep]),
  ];
  const vitest = spawnGuarded(process.execPath, args, { cwd: root, output: 'inherit' });
  const ended = exitCodeOf(vitest).then((code) => {
    if (code !== 0) throw new Error(`vitest ended with ${code}`);
  });
  return countsOf(ended, report);
}

/** The counts of a run's report. Throws how the run ended if it wrote none, or failed with no test that did. */
async function countsOf(ended: Promise<unknown>, report: string): Promise<Counts> {
  const failure = await ended.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  if (!existsSync(report)) throw failure ?? new Error('The run wrote no report of its tests.');
  const counts: unknown = JSON.parse(await readFile(report, 'utf8'));
  if (!isCounts(counts)) throw new Error(`The report holds no counts: ${JSON.stringify(counts)}`);
  if (failure !== undefined && counts.numFailedTests === 0) throw failure;
  return counts;
}

function isCounts(value: unknown): value is Counts {
  const names = Object.entries(total);
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every(([name, sample]) => typeof Reflect.get(value, name) === typeof sample)
  );
}
