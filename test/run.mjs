// Everything that `npm test` does: installs what the tests need, checks, builds, runs every suite, counts.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What is run or loaded, and the Debian package that brings it. */
const needed = [
  { what: 'a C compiler', found: () => onPath('cc'), packages: ['gcc', 'libc6-dev'] },
  { what: 'git', found: () => onPath('git'), packages: ['git'] },
  { what: 'pip', found: () => runs('python3', ['-m', 'pip', '--version']), packages: ['python3-pip'] },
  {
    what: 'unshare and mount',
    found: () => onPath('unshare') && onPath('mount'),
    packages: ['util-linux', 'mount'],
  },
  {
    what: "Vulkan on Mesa's software device",
    found: () =>
      fs.existsSync('/usr/share/vulkan/icd.d') &&
      fs.readdirSync('/usr/share/vulkan/icd.d').some((name) => name.startsWith('lvp')) &&
      runs('sh', ['-c', 'ldconfig -p | grep -q libvulkan.so.1']),
    packages: ['mesa-vulkan-drivers', 'libvulkan1'],
  },
  {
    what: 'a C++ compiler and make',
    found: () => onPath('g++') && onPath('make'),
    packages: ['g++', 'make'],
  },
  { what: 'Chromium', found: () => onPath('chromium'), packages: ['chromium'] },
];

const results = fs.mkdtempSync(path.join(os.tmpdir(), 'ask-codebase-tests-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
/** What failed is told again at the end, since what a step printed may be far above. */
const failedSteps = [];
const failedTests = [];

if (process.platform === 'linux') installMissing();
step('Building', 'node', ['esbuild.mjs']);
await Promise.all([
  check('Types', 'check:types'),
  check('Lint (npm run fix mends what can be mended)', 'check:lint'),
  check('Format (npm run fix mends it)', 'check:format'),
]);
for (const project of ['unit', 'page', 'engine', 'gpu', 'package']) suite(project, ...vitestReport(project));
suite('vscode', '--report', reportPath('vscode'));
step('Bench: quality, short form', 'node', ['dist/bench.mjs', 'quality', '--short']);

fs.rmSync(results, { recursive: true, force: true });
for (const failed of failedTests) console.log(`\n${failed}`);
if (failedSteps.length > 0) console.log(`\nSteps that failed: ${failedSteps.join('; ')}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = failedSteps.length === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;

function suite(project, ...args) {
  step(`Tests: ${project}`, 'npm', ['run', '--silent', `test:${project}`, '--', ...args]);
  const report = reportPath(project);
  if (!fs.existsSync(report)) return;
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    fs.readFileSync(report, 'utf8'),
  );
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  counts.skipped += numPendingTests;
  failedTests.push(...testResults.flatMap(failuresOf));
}

/** Of one file of vitest's report: its tests that failed, or what kept it from being run. */
function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const file = path.relative('.', name);
  if (failed.length === 0) return status === 'failed' ? [`FAILED ${file}\n${message}`] : [];
  return failed.map((test) => `FAILED ${file}: ${test.fullName}\n${test.failureMessages.join('\n')}`);
}

function vitestReport(project) {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath(project)}`];
}

function reportPath(project) {
  return path.join(results, `${project}.json`);
}

/** Runs beside others, and prints at its end. */
async function check(name, script) {
  const begin = performance.now();
  const checking = spawn('npm', ['run', '--silent', script], { shell: process.platform === 'win32' });
  const output = [];
  for (const stream of [checking.stdout, checking.stderr]) stream.on('data', (bytes) => output.push(bytes));
  const [status] = await once(checking, 'close');
  console.log(`\n== ${name}\n${Buffer.concat(output).toString()}`);
  tell(name, status, begin);
}

/** Runs a command in the foreground; what fails is remembered and the rest still runs. */
function step(name, command, args) {
  const begin = performance.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  tell(name, status, begin);
}

function tell(name, status, begin) {
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(`== ${name}: ${status === 0 ? 'done' : 'FAILED'} in ${seconds} s`);
  if (status !== 0) failedSteps.push(name);
}

function installMissing() {
  const missing = needed.filter(({ found }) => !found());
  if (missing.length === 0) return;
  const packages = missing.flatMap((need) => need.packages);
  console.log(`Missing: ${missing.map(({ what }) => what).join(', ')}`);
  if (!onPath('apt-get') || process.getuid?.() !== 0) {
    console.log(`Install these with your package manager: ${packages.join(' ')}`);
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: 'inherit',
    env,
  });
}

function onPath(program) {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .some((folder) => fs.existsSync(path.join(folder, program)));
}

function runs(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
