import { defineConfig } from 'vitest/config';

/** One file at a time, each in its own process: a model fills the cores, and a native crash must name its file. */
const oneAtATime = { pool: 'forks', poolOptions: { forks: { minForks: 1, maxForks: 1 } } } as const;

/** Three projects, by what they need: nothing, a real model on the CPU, a GPU (or Mesa's software device). */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          ...oneAtATime,
        },
      },
      {
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          ...oneAtATime,
        },
      },
    ],
  },
});
