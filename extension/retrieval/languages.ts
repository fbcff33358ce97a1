/** The languages whose syntax is known, by the names of their grammar files: `tree-sitter-<name>.wasm`. */
export const languageNames = [
  'bash',
  'c-sharp',
  'cpp',
  'css',
  'go',
  'java',
  'javascript',
  'php',
  'python',
  'ruby',
  'rust',
  'tsx',
  'typescript',
] as const;

export type LanguageName = (typeof languageNames)[number];

/** The language of a file by the end of its name; undefined when its syntax is not known. */
export function languageOf(path: string): LanguageName | undefined {
  const extension = /\.([a-z+]+)$/i.exec(path)?.[1]?.toLowerCase();
  return extension === undefined ? undefined : languages.get(extension);
}

/** C is read with the grammar of C++, which takes nearly all of it. */
const languages: ReadonlyMap<string, LanguageName> = new Map([
  ['sh', 'bash'],
  ['bash', 'bash'],
  ['zsh', 'bash'],
  ['cs', 'c-sharp'],
  ['c', 'cpp'],
  ['h', 'cpp'],
  ['cc', 'cpp'],
  ['cpp', 'cpp'],
  ['cxx', 'cpp'],
  ['hh', 'cpp'],
  ['hpp', 'cpp'],
  ['hxx', 'cpp'],
  ['c++', 'cpp'],
  ['cu', 'cpp'],
  ['cuh', 'cpp'],
  ['ino', 'cpp'],
  ['css', 'css'],
  ['go', 'go'],
  ['java', 'java'],
  ['js', 'javascript'],
  ['mjs', 'javascript'],
  ['cjs', 'javascript'],
  ['jsx', 'javascript'],
  ['php', 'php'],
  ['py', 'python'],
  ['pyi', 'python'],
  ['rb', 'ruby'],
  ['rake', 'ruby'],
  ['gemspec', 'ruby'],
  ['rs', 'rust'],
  ['tsx', 'tsx'],
  ['ts', 'typescript'],
  ['mts', 'typescript'],
  ['cts', 'typescript'],
]);
