/** The `test-machine` command: how fast this machine is, and how long its workspace would take. */
import { testMachine, type MachineTest } from '../testMachine.ts';
import { defaultTokenBudget } from './arguments.ts';
import { foldersOf } from './askRequest.ts';
import { testMachineHelpText } from './folderArguments.ts';
import { runFolderCommand } from './folderCommand.ts';
import { count, mebibytes, plural, seconds } from './numbers.ts';
import { deviceSentence, noticeSentence } from './noticeSentence.ts';
import { progressText } from './printer.ts';
import { safeText } from './safeText.ts';

await runFolderCommand({
  name: 'test-machine',
  helpText: testMachineHelpText,
  async run({ workspaces, ...chosen }, parts, tell, signal) {
    const folders = foldersOf(workspaces);
    const request = { ...chosen, folders, preset: 'default', tokenBudget: defaultTokenBudget } as const;
    return report(await testMachine(request, parts, (event) => tell(progressText(event)), signal));
  },
});

function report({ loaded, devices, workspace, ...speeds }: MachineTest): string {
  const left = devices.map(({ name, description, freeBytes, totalBytes, leftOut }) => {
    const state = leftOut === undefined ? '' : `, not used: ${leftOut}`;
    return `  ${safeText(name)} (${safeText(description)}): ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} free${state}`;
  });
  return [
    `Model      ${safeText(loaded.modelName)}`,
    `Device     ${deviceSentence(loaded)}`,
    `Reading    ${count(speeds.readingTokensPerSecond)} tokens/s`,
    `Answering  ${count(speeds.answeringTokensPerSecond)} tokens/s`,
    `Memory     ${mebibytes(loaded.estimatedBytes)} estimated, engine at its largest ${mebibytes(speeds.peakEngineBytes)}`,
    `Workspace  ${plural(workspace.files, 'file')}, about ${plural(workspace.tokens, 'token')}: ${seconds(workspace.seconds)} to read all`,
    `Question   reads ${plural(workspace.automaticTokens, 'token')} by default, in about ${seconds(workspace.automaticSeconds)}`,
    'Devices',
    ...left,
    ...loaded.notices.map(noticeSentence),
  ].join('\n');
}
