/** The readings that are kept for this workspace: where they lie, what they take, and how they are cleared. */
import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import { openStateStore } from '../stateStore/stateStore.ts';
import type { StoredReadingsView } from '../protocol/chat.ts';
import type { StateFolder } from '../protocol/engine.ts';

export interface StoredReadings {
  /** Undefined when none is kept. */
  readonly folder: () => StateFolder | undefined;
  readonly view: () => StoredReadingsView;
  /** Looks at the disk and tells when the view has changed. */
  readonly refresh: () => Promise<void>;
  readonly clear: () => Promise<void>;
}

export function storedReadings(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onChange: (view: StoredReadingsView) => void,
): StoredReadings {
  // A window without a folder has no storage of its own, and nothing to read either.
  const path = vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, 'readings').fsPath;
  const capBytes = (): number => readSettings().settings.storedReadingsBytes;
  const store = () => openStateStore({ folder: path, capBytes: capBytes(), log: (line) => log.info(line) });
  let view: StoredReadingsView = { bytes: 0, capBytes: capBytes() };
  const refresh = async (): Promise<void> => {
    const { bytes } = await store().usage();
    const now = { bytes, capBytes: capBytes() };
    if (now.bytes === view.bytes && now.capBytes === view.capBytes) return;
    view = now;
    onChange(view);
  };
  return {
    folder: () => (capBytes() > 0 ? { path, capBytes: capBytes() } : undefined),
    view: () => view,
    refresh,
    async clear() {
      const { files, bytes } = await store().clear();
      await refresh();
      void vscode.window.showInformationMessage(
        vscode.l10n.t('Cleared {0} stored readings ({1} MB).', files, (bytes / 1e6).toFixed(0)),
      );
    },
  };
}
