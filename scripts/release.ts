/** What `node esbuild.mjs --release` left in dist/: the bundles and what went into them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export interface Release {
  /** The folder of the bundles. */
  readonly folder: string;
  /** Paths of everything that went into them, relative to the repository. */
  readonly inputs: readonly string[];
  /** The folders of the packages among the inputs, relative to the repository. */
  readonly packageFolders: readonly string[];
  /** The names of what the bundles import when they run: packages, Node's own modules, `vscode`. */
  readonly imports: readonly string[];
}

export async function readRelease(repository: string): Promise<Release> {
  const { outputs } = metafileSchema.parse(
    JSON.parse(await readFile(join(repository, 'dist/release.json'), 'utf8')),
  );
  const files = Object.values(outputs);
  const inputs = unique(
    files.flatMap((file) =>
      Object.entries(file.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    ),
  );
  return {
    folder: join(repository, 'dist/release'),
    inputs,
    packageFolders: unique(inputs.flatMap((path) => packageFolder.exec(path)?.[0] ?? [])),
    imports: unique(
      files.flatMap((file) =>
        file.imports.flatMap(({ path, external }) => (external === true ? [path] : [])),
      ),
    ),
  };
}

/** Greedy: of a package inside another, the inner one. */
const packageFolder = /^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/;

const metafileSchema = z.object({
  outputs: z.record(
    z.string(),
    z.object({
      inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })),
      imports: z.array(z.object({ path: z.string(), external: z.boolean().optional() })),
    }),
  ),
});

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
