import { defineConfig } from 'vitest/config';

/** What is waited for comes late on a machine with other work, and a second, vitest's own limit, is soon over. */
const patient = { poll: { timeout: 20_000 } };

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
      { test: { name: 'unit', expect: patient, include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'page',
          expect: patient,
          include: ['test/page/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'package',
          expect: patient,
          include: ['test/package/**/*.test.ts'],
          globalSetup: 'test/package/makeAll.ts',
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'vscode',
          expect: patient,
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
          expect: patient,
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'gpu',
          expect: patient,
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
        },
      },
    ],
  },
});
