import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** VS Code's own TypeScript extension comes in the test's host without the compiler that it runs; here is one. */
export const typeScriptSettings = {
  'js/ts.tsdk.path': dirname(createRequire(import.meta.url).resolve('typescript')),
};
