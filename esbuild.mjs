/**
 * Bundles each program into dist/: the engine process, the terminal, the server for agents, the extension, its page,
 * the bench and the tests that run inside VS Code.
 * With --release it makes what is shipped instead, in dist/release/, without source maps, with dist/release.json telling
 * what went in, and dist/package.mjs, which makes VSIX files of it.
 * With --quiet nothing is printed unless it fails. Exits with 1 when a bundle cannot be built.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const quiet = process.argv.includes('--quiet');
const release = process.argv.includes('--release');
/** Of the programs that are shipped. */
const dist = release ? 'dist/release' : 'dist';

/** Packages with native parts find them by their own path, so they stay in node_modules. */
const nativePackages = ['koffi', 'node-llama-cpp'];
/** Of the tests: they load parts of themselves by path. */
const testPackages = ['mocha', 'playwright-core', '@vscode/test-electron'];

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: !release,
  metafile: true,
  logLevel: 'warning',
  absWorkingDir: import.meta.dirname,
};

/** CommonJS packages inside an ES module call `require`, which does not exist there. */
const esm = {
  ...common,
  format: 'esm',
  external: [...nativePackages, ...testPackages],
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
  },
};

/** VS Code loads extensions as CommonJS, where `import.meta.url` does not exist. */
const cjs = {
  ...common,
  format: 'cjs',
  external: ['vscode', ...nativePackages, ...testPackages],
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/** The page loads the grammars of its code blocks one by one, so it is split. */
const page = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  splitting: true,
  outdir: `${dist}/webview`,
  entryNames: '[name]',
  chunkNames: 'chunks/[name]-[hash]',
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
  sourcemap: false,
  minify: true,
};

const shipped = [
  { ...esm, entryPoints: ['extension/engine/main.ts'], outfile: `${dist}/engine.mjs` },
  { ...cjs, entryPoints: ['extension/extension.ts'], outfile: `${dist}/extension.cjs` },
  { ...page, entryPoints: ['webview/main.ts'] },
];
const forDevelopers = [
  { ...esm, entryPoints: ['extension/terminal/main.ts'], outfile: 'dist/ask.mjs' },
  { ...esm, entryPoints: ['extension/terminal/mcp.ts'], outfile: 'dist/mcp.mjs' },
  { ...esm, entryPoints: ['extension/terminal/index.ts'], outfile: 'dist/index.mjs' },
  { ...esm, entryPoints: ['extension/terminal/testMachine.ts'], outfile: 'dist/testMachine.mjs' },
  { ...esm, entryPoints: ['test/bench/main.ts'], outfile: 'dist/bench.mjs' },
  { ...cjs, entryPoints: ['test/vscode/suite/index.ts'], outfile: 'dist/test/vscodeSuite.cjs' },
  { ...esm, entryPoints: ['test/vscode/host/code.ts'], outfile: 'dist/test/code.mjs' },
  { ...esm, entryPoints: ['test/vscode/main.ts'], outfile: 'dist/test/vscode.mjs' },
].filter(({ entryPoints: [entry] }) => existsSync(new URL(entry, import.meta.url)));
const packager = { ...esm, entryPoints: ['scripts/package.ts'], outfile: 'dist/package.mjs' };

if (release) {
  rmSync(dist, { recursive: true, force: true });
  const metafiles = await bundle(shipped);
  await bundle([packager]);
  mkdirSync('dist', { recursive: true });
  writeFileSync(
    'dist/release.json',
    JSON.stringify({ outputs: Object.assign({}, ...metafiles.map(({ outputs }) => outputs)) }),
  );
} else {
  await bundle([...shipped, ...forDevelopers]);
}

/** Gives the metafiles of what could be built. */
async function bundle(bundles) {
  const metafiles = [];
  for (const options of bundles) {
    try {
      const { metafile } = await build(options);
      metafiles.push(metafile);
      const files = Object.values(metafile.outputs).filter(({ entryPoint }) => entryPoint !== undefined);
      const bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
      if (!quiet) console.log(`${options.outfile ?? options.outdir}  ${(bytes / 1024).toFixed(0)} KiB`);
    } catch (error) {
      // The errors of the sources are printed by esbuild itself.
      if (!('errors' in error)) console.error(error.message);
      process.exitCode = 1;
    }
  }
  return metafiles;
}
