import { defineConfig } from 'vitest/config';

/**
 * Each file runs in its own process, so that a native crash names its file. Where a model fills the cores (vscode,
 * engine, gpu) they run one at a time (`--no-file-parallelism`); the others as many as there are cores.
 * Six projects, by what they need: nothing, a browser, the packages of other platforms, a VS Code to click on, a real
 * model on the CPU, a GPU (or Mesa's software device).
 */
export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: 'test/package/makeAll.ts',
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'vscode',
          include: ['test/vscode/ui/**/*.test.ts'],
          // A window on a busy machine loses a click or a key now and then; what is broken fails twice.
          retry: 1,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
        },
      },
    ],
  },
});
