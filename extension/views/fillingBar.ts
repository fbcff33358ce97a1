/** The bar of a notification that tells how far something is. */
import type * as vscode from 'vscode';

/** Says how far it is; the bar stays where it is when `total` is unknown or `done` is less than before. */
export type TellProgress = (message: string, done: number, total: number | undefined) => void;

/**
 * Fills the bar of a notification. Until something is done VS Code lets it run to and fro, and where it draws without
 * a GPU that takes most of a core, which the model then lacks.
 */
export function fillingBar(
  progress: vscode.Progress<{ message?: string; increment?: number }>,
): TellProgress {
  let percent = 0;
  return (message, done, total = 0) => {
    const now = total === 0 ? 0 : (100 * done) / total;
    progress.report({ message, increment: Math.max(0, now - percent) });
    percent = Math.max(percent, now);
  };
}
