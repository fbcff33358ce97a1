/** What stands behind an "@" of the input: the files and folders of the workspace. */
import type { MentionItem } from '../protocol/chat.ts';
import { findFiles, type FoundFile } from '../workspace/findFiles.ts';
import { workspaceFolders } from './workspaceFolders.ts';

const mostItems = 20;
/** The list is made anew when it is older, milliseconds. */
const listLifetimeMs = 10_000;

let list: { readonly at: number; readonly items: Promise<readonly MentionItem[]> } | undefined;

/** The best first: names that begin with the text, then names with it, then paths with it, then paths with its letters. */
export async function completeMention(text: string): Promise<readonly MentionItem[]> {
  if (list === undefined || Date.now() - list.at > listLifetimeMs) {
    list = { at: Date.now(), items: listItems() };
    // A walk that failed is tried again with the next letter.
    list.items.catch(() => (list = undefined));
  }
  const wanted = text.toLowerCase();
  return (await list.items)
    .map((item) => ({ item, rank: rankOf(item.label.toLowerCase(), wanted) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank || a.item.label.length - b.item.label.length)
    .slice(0, mostItems)
    .map(({ item }) => item);
}

async function listItems(): Promise<readonly MentionItem[]> {
  const folders = workspaceFolders();
  const { files } = await findFiles(folders, { signal: new AbortController().signal });
  const label = (workspace: string, path: string): string =>
    folders.length > 1 ? `${workspace}/${path}` : path;
  const items = new Map<string, MentionItem>();
  const add = (kind: 'file' | 'folder', { workspace }: FoundFile, path: string): void => {
    const shown = kind === 'folder' ? `${label(workspace, path)}/` : label(workspace, path);
    items.set(shown, { pin: { kind, workspace, path }, label: shown });
  };
  for (const file of files) {
    add('file', file, file.path);
    for (let end = file.path.lastIndexOf('/'); end > 0; end = file.path.lastIndexOf('/', end - 1)) {
      add('folder', file, file.path.slice(0, end));
    }
  }
  return [...items.values()];
}

function rankOf(label: string, wanted: string): number {
  if (wanted === '') return 1;
  const name = label.slice(label.lastIndexOf('/', label.length - 2) + 1);
  if (name.startsWith(wanted)) return 4;
  if (name.includes(wanted)) return 3;
  if (label.includes(wanted)) return 2;
  let at = -1;
  for (const letter of wanted) {
    at = label.indexOf(letter, at + 1);
    if (at < 0) return 0;
  }
  return 1;
}
