/** Gets VS Code without a display: its workbench and extension host as packed by code-server, and the Node it runs on. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from '../../../extension/models/fileLock.ts';
import { exitCodeOf, outputOf, spawnGuarded } from './guarded.ts';

const CODE_SERVER_VERSION = '4.139.1';
const NODE_VERSION = '24.21.0';

/** An installed host. Both paths are absolute. */
export interface Host {
  readonly nodePath: string;
  readonly codeServerPath: string;
}

/**
 * Installs the host unless it is there, and tells where it is. Takes about a minute and 410 MB the first time.
 * It is kept in ASK_CODEBASE_VSCODE_HOST, else in the user's cache folder, one folder for each pair of versions.
 * A folder gets its name when everything is in it, so what was interrupted is never taken for a host;
 * of several processes one installs and the others wait.
 * Throws an Error with npm's output when a package cannot be had or built.
 */
export async function installHost(print: (line: string) => void): Promise<Host> {
  const parent =
    process.env['ASK_CODEBASE_VSCODE_HOST'] ?? join(homedir(), '.cache', 'ask-codebase', 'vscode-host');
  const folder = join(parent, `code-server-${CODE_SERVER_VERSION}-node-${NODE_VERSION}`);
  if (!existsSync(folder)) await installOnce(folder, print);
  return {
    nodePath: join(folder, 'node_modules', nodePackage, 'bin', 'node'),
    codeServerPath: join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  };
}

/** The Node package of this machine; npm has them for Linux on x64 and arm64. */
const nodePackage = `node-linux-${process.arch}`;

async function installOnce(folder: string, print: (line: string) => void): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  let waits = false;
  const tellWaiting = (): void => {
    if (!waits) print('Another process installs the VS Code host; waiting for it.');
    waits = true;
  };
  await withFileLock(`${folder}.lock`, new AbortController().signal, tellWaiting, async () => {
    if (existsSync(folder)) return;
    const began = performance.now();
    await removeInterrupted(folder);
    const staging = `${folder}${STAGING_MARK}${process.pid}`;
    await mkdir(staging);
    print(`Installing the VS Code host into ${folder}`);
    await installInto(staging, print);
    await rename(staging, folder);
    print(`The VS Code host is installed, in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
  });
}

const STAGING_MARK = '.installing-';

/** The lock is held, so no other process is at work in these. */
async function removeInterrupted(folder: string): Promise<void> {
  const parent = dirname(folder);
  for (const name of await readdir(parent)) {
    if (name.startsWith(basename(folder) + STAGING_MARK)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

async function installInto(folder: string, print: (line: string) => void): Promise<void> {
  const workbench = join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');

  print(`  code-server ${CODE_SERVER_VERSION} and Node ${NODE_VERSION}`);
  const packages = [`code-server@${CODE_SERVER_VERSION}`, `${nodePackage}@${NODE_VERSION}`];
  await npm(folder, ['install', '--ignore-scripts', ...packages]);

  print("  the workbench's own packages");
  // `npm ci` would refuse the shrinkwrap that comes with it, which lacks a peer dependency.
  await npm(workbench, ['install', '--omit=dev', '--ignore-scripts']);

  print('  its two native modules');
  // Output channels are empty without the first; the second ends an extension host that lost its server.
  const modules = ['@vscode/spdlog', '@vscode/native-watchdog'];
  const headers = join(folder, 'node_modules', nodePackage);
  await npm(workbench, ['rebuild', ...modules, '--foreground-scripts', `--nodedir=${headers}`]);

  // Much of it would never be used; the headers of Node have been.
  await rm(join(headers, 'include'), { recursive: true, force: true });
  const unused = ['@github', '@microsoft/mxc-sdk', 'node-pty/deps', 'node-pty/third_party'];
  for (const name of unused)
    await rm(join(workbench, 'node_modules', name), { recursive: true, force: true });
  await rm(join(workbench, 'extensions', 'copilot'), { recursive: true, force: true });
  const platform = `linux-${process.arch}`;
  for (const parent of ['@vscode/ripgrep-universal/bin', 'node-pty/prebuilds']) {
    await keepOnly(join(workbench, 'node_modules', parent), platform);
  }
}

async function keepOnly(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== kept) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function npm(cwd: string, args: readonly string[]): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const run = spawnGuarded('npm', [...args, ...quiet], { cwd, output: 'pipe' });
  const output = outputOf(run);
  if ((await exitCodeOf(run)) !== 0) {
    throw new Error(`The VS Code host cannot be installed: npm ${args.join(' ')}\n${output()}`);
  }
}
