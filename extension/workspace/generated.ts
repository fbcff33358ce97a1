import { generatedMarkerLines, minifiedLineCharacters, minifiedShare } from './limits.ts';
import { namePatterns } from './namePatterns.ts';

/** Lists of exact package versions, written by package managers. */
export const isLockFileName = namePatterns([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
  'Cargo.lock',
  'poetry.lock',
  'Pipfile.lock',
  'pdm.lock',
  'uv.lock',
  'pixi.lock',
  'conda-lock.yml',
  'go.sum',
  'go.work.sum',
  'Gemfile.lock',
  'composer.lock',
  'mix.lock',
  'rebar.lock',
  'pubspec.lock',
  'Podfile.lock',
  'Package.resolved',
  'Cartfile.resolved',
  'packages.lock.json',
  'paket.lock',
  'project.assets.json',
  'gradle.lockfile',
  'buildscript-gradle.lockfile',
  'flake.lock',
  'stack.yaml.lock',
  'cabal.project.freeze',
  '.terraform.lock.hcl',
  'MODULE.bazel.lock',
  'Chart.lock',
  'conan.lock',
]);

/** Files that a tool writes, by the name it gives them. */
export const isGeneratedName = namePatterns([
  '*.min.js',
  '*.min.mjs',
  '*.min.cjs',
  '*.min.css',
  '*-min.js',
  '*.bundle.js',
  '*.js.map',
  '*.mjs.map',
  '*.cjs.map',
  '*.css.map',
  '*.d.ts.map',
  '*.tsbuildinfo',
  '*.pb.go',
  '*.pb.cc',
  '*.pb.h',
  '*.pb.swift',
  '*_pb2.py',
  '*_pb2.pyi',
  '*_pb2_grpc.py',
  '*_pb.js',
  '*_pb.d.ts',
  '*_grpc_pb.js',
  '*.gen.go',
  '*.g.dart',
  '*.freezed.dart',
  '*.designer.cs',
  '*.g.cs',
  '*.g.i.cs',
]);

/** Folders of installed packages and of tools' intermediate files, left out even where no .gitignore says so. */
export const isDefaultFolderName = namePatterns([
  'node_modules',
  'bower_components',
  '.venv',
  '__pycache__',
  '.tox',
  '.nox',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.gradle',
  '.terraform',
]);

export const defaultFolderDetail = 'a folder of installed packages or of a tool';

/**
 * Why the text is taken for generated, or undefined when a person seems to have written it.
 * A generator counts only where it announces itself in a comment at the top, so that code about generators is read.
 */
export function generatedDetail(text: string): string | undefined {
  const marker = firstLines(text, generatedMarkerLines).find(
    (line) => isComment(line) && announcesGenerator(line),
  );
  if (marker !== undefined) return `its head says "${marker.trim().slice(0, 80)}"`;
  const share = longLineShare(text);
  if (share > minifiedShare) {
    return `${Math.round(share * 100)} % of it is in lines of more than ${minifiedLineCharacters} characters`;
  }
  return undefined;
}

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/\*|\*|#|--|;|%|<!--|"|'|\{-|\(\*)/.test(line);
}

function announcesGenerator(line: string): boolean {
  return (
    /(?:^|[\s*/#])@generated\b/.test(line) ||
    /\b(?:auto-?)?generated\b.*\bdo not (?:edit|modify)\b/i.test(line) ||
    /<auto-?generated\b/i.test(line) ||
    /\bthis (?:file|code) (?:was|is|has been) (?:auto(?:matically)?[- ]?)generated\b/i.test(line)
  );
}

function firstLines(text: string, count: number): string[] {
  let end = -1;
  for (let line = 0; line < count; line++) {
    const next = text.indexOf('\n', end + 1);
    if (next < 0) return text.slice(0, minifiedLineCharacters * count).split('\n');
    end = next;
  }
  return text.slice(0, end).split('\n');
}

/** Share of the characters (0 to 1) that stand in lines too long to be written by hand. */
function longLineShare(text: string): number {
  let long = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end - start > minifiedLineCharacters) long += end - start;
    start = end + 1;
  }
  return text.length === 0 ? 0 : long / text.length;
}
