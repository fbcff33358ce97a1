/** llama.cpp's headers, and what a C compiler makes of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bundlePath = '../../node_modules/node-llama-cpp/llama/gitRelease.bundle';
const headerFolders = ['include', 'ggml/include'];

const headerFiles = [
  'include/llama.h',
  'ggml/include/ggml.h',
  'ggml/include/ggml-backend.h',
  'ggml/include/ggml-alloc.h',
];

/** Checks out the source that node-llama-cpp carries; the headers lie in `folder` afterwards. */
export function checkOutHeaders(folder: string): void {
  const bundle = fileURLToPath(new URL(bundlePath, import.meta.url));
  run('git', ['clone', '--quiet', '--no-checkout', bundle, folder], 'git');
  run('git', ['-C', folder, 'checkout', '--quiet', 'HEAD', '--', ...headerFolders], 'git');
}

/**
 * Compiles and runs a program whose `main` has the given statements, with the headers of `folder`.
 * @param libraries files to link; they find each other in their own folder.
 * @returns its output as pairs of name and value, one a line, parted by the last space.
 */
export function runC(
  folder: string,
  statements: readonly string[],
  libraries: readonly string[] = [],
): Map<string, string> {
  const source = join(folder, 'program.c');
  const program = join(folder, 'program');
  const includes = headerFiles.map((file) => `#include "${file}"`);
  const lines = [...includes, '#include <stdio.h>', '#include <stddef.h>', 'int main(void) {', ...statements];
  writeFileSync(source, [...lines, 'return 0; }', ''].join('\n'));
  compileC([
    ...['-o', program, source, `-I${folder}`, ...headerFolders.map((name) => `-I${join(folder, name)}`)],
    ...libraries,
    ...libraries.flatMap((file) => [`-Wl,-rpath,${dirname(file)}`]),
  ]);
  const output = run(program, [], 'the program just compiled').trim();
  return new Map(
    output.split('\n').map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

/** @param options of the compiler, source files and libraries among them. */
export function compileC(options: readonly string[]): void {
  run('cc', options, 'a C compiler named cc (on Debian: apt-get install gcc libc6-dev)');
}

export interface Declaration {
  /** Reduced to what the calling convention needs: `pointer`, a number's type, or a structure's name. */
  readonly result: string;
  readonly parameters: readonly string[];
}

/** The declarations of functions in the headers, by name. */
export function readDeclarations(folder: string): ReadonlyMap<string, Declaration> {
  const text = headerFiles
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/^\s*#(?:.*\\\n)*.*$/gm, '');
  const typedefs = new Map<string, string>();
  for (const [, type, name] of text.matchAll(/\btypedef\s+([^;{}()]+?)\s*\b(\w+)\s*;/g))
    typedefs.set(name!, type!);
  for (const [, name] of text.matchAll(/\btypedef\s+[^;{}()]+\(\s*\*\s*(\w+)\s*\)/g))
    typedefs.set(name!, 'void *');

  const declarations = new Map<string, Declaration>();
  const pattern =
    /\b(?:LLAMA_API|GGML_API|GGML_BACKEND_API)\s+([^;(){}]+?)\b(\w+)\s*\(([^;{}]*?)\)\s*(?=[;,]|GGML_|LLAMA_)/g;
  for (const [, result, name, parameters] of text.matchAll(pattern)) {
    declarations.set(name!, {
      result: plainType(result!, typedefs),
      parameters: parameterList(parameters!).map((parameter) =>
        // A parameter without a name is its type alone.
        plainType(parameter.replace(/(?<=[\s*])\w+\s*(\[\d*\])?$/, '$1'), typedefs),
      ),
    });
  }
  return declarations;
}

/** The declaration that a prototype written for koffi says. */
export function readPrototype(prototype: string): Declaration & { readonly name: string } {
  const [, result, name, parameters] = /^(.*?)\b(\w+)\((.*)\)$/.exec(prototype) ?? [];
  if (result === undefined || name === undefined || parameters === undefined)
    throw new Error(`not a prototype: ${prototype}`);
  const none = new Map<string, string>();
  return {
    name,
    result: plainType(result, none),
    parameters: parameterList(parameters).map((parameter) => plainType(parameter.replace(/\w+$/, ''), none)),
  };
}

function parameterList(text: string): string[] {
  const parameters = text.split(',').map((parameter) => parameter.trim());
  return parameters.length === 1 && ['', 'void'].includes(parameters[0]!) ? [] : parameters;
}

function plainType(type: string, typedefs: ReadonlyMap<string, string>): string {
  if (/[*[]/.test(type)) return 'pointer';
  const bare = type.replace(/\b(const|struct)\b/g, '').trim();
  if (/^enum\b/.test(bare) || bare === 'int') return 'int32';
  const alias = typedefs.get(bare);
  if (alias !== undefined) return plainType(alias, typedefs);
  return bare.replace(/^(u?int\d+)_t$/, '$1');
}

function run(command: string, args: readonly string[], needed: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`This test needs ${needed}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ended with ${status ?? 'a signal'}: ${stderr}`);
  return stdout;
}
