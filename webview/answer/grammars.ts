/** The languages of code blocks. Each grammar is a file of its own, loaded when a block first needs it. */
import type { LanguageRegistration } from 'shiki/core';

type Load = () => Promise<{ readonly default: LanguageRegistration[] }>;

export interface Grammar {
  readonly name: string;
  readonly load: Load;
}

/** The grammar for what stands behind the opening of a fence: a language's name, or the extension of its files. */
export function grammarOf(language: string): Grammar | undefined {
  return grammars.get(language.toLowerCase());
}

const languages: readonly (readonly [names: string, load: Load])[] = [
  ['shellscript bash sh shell zsh', () => import('shiki/langs/shellscript.mjs')],
  ['c h', () => import('shiki/langs/c.mjs')],
  ['cpp c++ cc cxx hpp', () => import('shiki/langs/cpp.mjs')],
  ['csharp c# cs', () => import('shiki/langs/csharp.mjs')],
  ['css', () => import('shiki/langs/css.mjs')],
  ['dart', () => import('shiki/langs/dart.mjs')],
  ['diff patch', () => import('shiki/langs/diff.mjs')],
  ['docker dockerfile', () => import('shiki/langs/docker.mjs')],
  ['go golang', () => import('shiki/langs/go.mjs')],
  ['html htm', () => import('shiki/langs/html.mjs')],
  ['java', () => import('shiki/langs/java.mjs')],
  ['javascript js mjs cjs', () => import('shiki/langs/javascript.mjs')],
  ['jsx javascriptreact', () => import('shiki/langs/jsx.mjs')],
  ['json', () => import('shiki/langs/json.mjs')],
  ['jsonc json5', () => import('shiki/langs/jsonc.mjs')],
  ['kotlin kt kts', () => import('shiki/langs/kotlin.mjs')],
  ['lua', () => import('shiki/langs/lua.mjs')],
  ['make makefile', () => import('shiki/langs/make.mjs')],
  ['markdown md', () => import('shiki/langs/markdown.mjs')],
  ['php', () => import('shiki/langs/php.mjs')],
  ['powershell ps1', () => import('shiki/langs/powershell.mjs')],
  ['python py', () => import('shiki/langs/python.mjs')],
  ['ruby rb', () => import('shiki/langs/ruby.mjs')],
  ['rust rs', () => import('shiki/langs/rust.mjs')],
  ['scala', () => import('shiki/langs/scala.mjs')],
  ['scss', () => import('shiki/langs/scss.mjs')],
  ['sql', () => import('shiki/langs/sql.mjs')],
  ['swift', () => import('shiki/langs/swift.mjs')],
  ['toml', () => import('shiki/langs/toml.mjs')],
  ['tsx typescriptreact', () => import('shiki/langs/tsx.mjs')],
  ['typescript ts mts cts', () => import('shiki/langs/typescript.mjs')],
  ['xml svg', () => import('shiki/langs/xml.mjs')],
  ['yaml yml', () => import('shiki/langs/yaml.mjs')],
];

const grammars = new Map(
  languages.flatMap(([names, load]) => {
    const all = names.split(' ');
    return all.map((name) => [name, { name: all[0]!, load }] as const);
  }),
);
