#!/usr/bin/env node
/**
 * Stands where @vscode/test-electron expects the program of VS Code: understands its command line, and runs the suite
 * in the host. ASK_CODEBASE_TEST_TRUST=1 turns on the trust of workspaces, which that command line always turns off.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { exitWithParent } from './guarded.ts';
import { runSuite } from './suiteRun.ts';

exitWithParent();
const { values, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    extensionDevelopmentPath: { type: 'string', multiple: true },
    extensionTestsPath: { type: 'string' },
    'user-data-dir': { type: 'string' },
    'extensions-dir': { type: 'string' },
  },
});
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const path = (value: string): string => (value.startsWith('file:') ? fileURLToPath(value) : value);

const testsPath = text(values.extensionTestsPath);
if (testsPath === undefined) throw new Error('Only suites are run here: --extensionTestsPath is missing.');
const developmentFolders = [values.extensionDevelopmentPath]
  .flat()
  .filter((value) => typeof value === 'string');
const [workspacePath] = positionals;
const userDataFolder = text(values['user-data-dir']);
const extensionsFolder = text(values['extensions-dir']);

process.exitCode = await runSuite(
  {
    workspacePath: workspacePath === undefined ? undefined : path(workspacePath),
    developmentFolders: developmentFolders.map(path),
    testsPath: path(testsPath),
  },
  {
    workspaceTrust: process.env['ASK_CODEBASE_TEST_TRUST'] === '1',
    ...(userDataFolder === undefined ? {} : { userDataFolder }),
    ...(extensionsFolder === undefined ? {} : { extensionsFolder }),
  },
);
