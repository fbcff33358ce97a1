import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * The bytes of a file of tree-sitter: `tree-sitter.wasm`, the parser itself, or the grammar `tree-sitter-<language>.wasm`.
 * It is taken from the installed packages, or from the folder `grammars` beside the bundle where there are none.
 * Throws what reading throws when it is in neither.
 */
export async function readGrammarFile(fileName: string): Promise<Uint8Array> {
  return readFile(installedPath(fileName) ?? fileURLToPath(new URL(`grammars/${fileName}`, import.meta.url)));
}

function installedPath(fileName: string): string | undefined {
  // The package of the grammars brings a parser of its own, of another build than the one that is bundled.
  const folder = fileName === 'tree-sitter.wasm' ? 'web-tree-sitter' : '@vscode/tree-sitter-wasm/wasm';
  try {
    return createRequire(import.meta.url).resolve(`${folder}/${fileName}`);
  } catch {
    return undefined;
  }
}
