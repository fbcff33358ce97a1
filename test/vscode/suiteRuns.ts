/** Which suites run in VS Code's extension host, each under the conditions that it needs. */
import { dirname } from 'node:path';
import { smolLm2Path } from '../modelFiles.ts';
import type { ServerOptions } from './host/server.ts';
import { typeScriptSettings } from './typeScript.ts';
import { ferryFolder, foreignFolder, noFolder, twoFolders, type WorkspaceMaker } from './workspaces.ts';

/** One start of VS Code. */
export interface SuiteRun extends Pick<
  ServerOptions,
  'settings' | 'machineSettings' | 'env' | 'workspaceTrust'
> {
  /** What `npm run test:vscode -- --run NAME` chooses it by. */
  readonly name: string;
  /** Files of test/vscode/suite, without `.test.ts`. */
  readonly suites: readonly [string, ...string[]];
  readonly workspace: WorkspaceMaker;
  /** The extension as packed and installed, instead of this source folder. */
  readonly installed?: boolean;
}

/** The real model, which reads, keeps and writes little, so that an answer takes seconds and something is dropped. */
const smallAnswers = {
  'askCodebase.modelFolder': dirname(await smolLm2Path()),
  'askCodebase.device': 'cpu',
  'askCodebase.reading': 'limit',
  'askCodebase.readingLimit': 2_000,
  'askCodebase.tokenBudget': 256,
  'askCodebase.maxAnswerTokens': 24,
};

export const suiteRuns: readonly SuiteRun[] = [
  { name: 'folder', suites: ['activation', 'commands', 'explanations'], workspace: ferryFolder },
  { name: 'agents', suites: ['agents'], workspace: ferryFolder, machineSettings: smallAnswers },
  {
    name: 'folders',
    suites: ['activation', 'typescript'],
    workspace: twoFolders,
    settings: typeScriptSettings,
  },
  {
    name: 'restricted',
    suites: ['activation', 'restricted'],
    workspace: foreignFolder,
    workspaceTrust: true,
  },
  { name: 'empty', suites: ['activation'], workspace: noFolder },
  { name: 'installed', suites: ['activation'], workspace: ferryFolder, installed: true },
];
