/** The `index` command: the index of a workspace, built in a terminal. What is there already is not built again. */
import { indexWorkspace, type IndexProgress } from '../indexWorkspace.ts';
import { foldersOf, stateFolderOf } from './askRequest.ts';
import { indexHelpText } from './folderArguments.ts';
import { runFolderCommand } from './folderCommand.ts';
import { count, percent, plural, seconds } from './numbers.ts';
import { progressText } from './printer.ts';

await runFolderCommand({
  name: 'index',
  helpText: indexHelpText,
  async run({ workspaces, ...chosen }, parts, tell, signal) {
    const folders = foldersOf(workspaces);
    const request = { ...chosen, folders, states: stateFolderOf(folders) };
    const events = indexWorkspace(request, parts, (event) => tell(progressText(event)), signal);
    let last: IndexProgress | undefined;
    for await (const progress of events) {
      last = progress;
      if (progress.findsHeads) tell('finding, once, which heads of the model rank and find evidence', true);
      else
        tell(
          `indexing ${percent(progress.filesDone / Math.max(1, progress.filesTotal))}, ${count(progress.filesDone)} of ` +
            `${plural(progress.filesTotal, 'file')}, ${count(progress.tokens)} tokens`,
        );
    }
    return last === undefined ? '' : summary(last);
  },
});

function summary({ readable, indexed, tokens, seconds: time, served }: IndexProgress): string {
  if (!served) return 'For this model no index is made: none of its heads rank clearly better than chance.';
  const now =
    tokens === 0
      ? 'nothing was read anew'
      : `read ${count(tokens)} tokens anew in ${seconds(time)} (${count(Math.round(tokens / time))} tokens/s)`;
  const whole = `${count(indexed)} of ${plural(readable, 'file')} in the index, ${now}.`;
  return indexed === readable
    ? whole
    : `${whole} The rest does not fit what may be kept, and is ranked by words.`;
}
