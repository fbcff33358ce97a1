/** The platforms that a VSIX is made for, and the packages with native parts that each carries in node_modules. */

export const targetNames = ['linux-x64', 'linux-arm64', 'win32-x64', 'darwin-arm64', 'darwin-x64'] as const;

/** As `vsce package --target` calls it. */
export type TargetName = (typeof targetNames)[number];

export interface CarriedPackage {
  readonly name: string;
  /** Which of its files the engine needs, by their paths inside the package. */
  readonly files: RegExp;
}

export function carriedPackages(target: TargetName): readonly CarriedPackage[] {
  return [
    { name: 'koffi', files: /^(package\.json|LICENSE\.txt|index\.js|src\/koffi\/(index|src\/static)\.js)$/ },
    { name: `@koromix/koffi-${target}`, files: koffiAddon(target) },
    ...engineLibraries[target].map((name) => ({ name: `@node-llama-cpp/${name}`, files: libraryFiles })),
  ];
}

/** What systeminformation tries to load for temperatures on a Mac, which are never asked for; it does without. */
export const optionalImports: readonly string[] = ['macos-temperature-sensor', 'osx-temperature-sensor'];

/**
 * The libraries for the CPU, and those for the CPU and Vulkan where they are published. A driver that cannot be trusted
 * is no reason to go without answers, so the first are not left out where the second are. Metal is in the Mac's own.
 */
const engineLibraries: Readonly<Record<TargetName, readonly string[]>> = {
  'linux-x64': ['linux-x64', 'linux-x64-vulkan'],
  'linux-arm64': ['linux-arm64'],
  'win32-x64': ['win-x64', 'win-x64-vulkan'],
  'darwin-arm64': ['mac-arm64-metal'],
  'darwin-x64': ['mac-x64'],
};

/** Not its addon for Node and what only that needs (llama-common): the engine calls the libraries themselves. */
const libraryFiles =
  /^(package\.json|LICENSE|dist\/index\.js|bins\/[^/]+\/(lib)?(ggml[-.]|llama\.)[^/]+\.(so|dylib|dll))$/;

/** On Linux the package brings one addon for glibc and one for musl, whose VS Code has targets of its own. */
function koffiAddon(target: TargetName): RegExp {
  return new RegExp(`^(package\\.json|index\\.js|${target.replace('-', '_')}/koffi\\.node)$`);
}
