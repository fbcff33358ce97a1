import { afterAll, afterEach, beforeAll } from 'vitest';
import { openWorkbench, type Workbench, type WorkbenchOptions } from '../host/workbench.ts';

/**
 * Opens one window for the tests of a file or `describe`, and closes it after them. Gives a function that gives the
 * window. When a test fails, a picture of the window is kept as test/vscode/screenshots/failed-….png.
 */
export function useWorkbench(options: WorkbenchOptions): () => Workbench {
  let workbench: Workbench | undefined;
  beforeAll(async () => {
    workbench = await openWorkbench(options);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await workbench?.screenshot(`failed-${task.name.replace(/[^\w]+/g, '-')}`);
  });
  afterAll(async () => {
    await workbench?.close();
  });
  return () => {
    if (workbench === undefined) throw new Error('The window opens before the first test, not earlier.');
    return workbench;
  };
}
