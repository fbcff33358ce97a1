/** Starts and stops code-server: VS Code's workbench and extension host, served to a browser on this machine. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf, exitWithParent, outputOf, spawnGuarded, type GuardedProcess } from './guarded.ts';
import { installHost, type Host } from './install.ts';

const START_LIMIT_MILLISECONDS = 60_000;

/** Setting ids and their values, as in settings.json. */
export type Settings = Readonly<Record<string, unknown>>;

export interface ServerOptions {
  /** The user's settings, besides those that keep a test quiet. Those of scope "machine" belong below. */
  readonly settings?: Settings;
  /** The settings of the machine. The workbench is a remote window, and reads settings of scope "machine" here alone. */
  readonly machineSettings?: Settings;
  /** Added to the environment of the server and so of the extension host. HOME is a temporary folder unless given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Folders are then in Restricted Mode until they are trusted. Without it everything is trusted. */
  readonly workspaceTrust?: boolean;
  /** A folder with `User/settings.json`; a temporary one unless given. It is kept, so that a later server finds it. */
  readonly userDataFolder?: string;
  /** A folder of installed extensions; a temporary, empty one unless given. */
  readonly extensionsFolder?: string;
}

export interface Server {
  /** Of the workbench page, such as http://127.0.0.1:40001 */
  readonly origin: string;
  /** Removed when the server stops. */
  readonly temporaryFolder: string;
  readonly extensionsFolder: string;
  /** Holds the settings files and what extensions store. */
  readonly userDataFolder: string;
  /** What the server has printed. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts a server on a free port of the loopback address. Throws an Error with its output when it does not listen. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  exitWithParent();
  const host = await installHost((line) => console.log(line));
  const temporaryFolder = await mkdtemp(join(tmpdir(), 'ask-codebase-vscode-'));
  const userDataFolder = options.userDataFolder ?? join(temporaryFolder, 'user-data');
  const extensionsFolder = options.extensionsFolder ?? join(temporaryFolder, 'extensions');
  await writeSettings(userDataFolder, options);
  await mkdir(extensionsFolder, { recursive: true });

  const args = [
    ...(await serverArguments(host, temporaryFolder, userDataFolder, extensionsFolder)),
    ...['--auth', 'none', '--bind-addr', '127.0.0.1:0', '--disable-proxy', '--ignore-last-opened'],
    ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
  ];
  const env = serverEnvironment(temporaryFolder, options.env);
  const server = spawnGuarded(host.nodePath, args, { env, output: 'pipe', temporaryFolder });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(temporaryFolder, { recursive: true, force: true });
  };
  const log = outputOf(server);
  try {
    const port = await listeningPort(server, log);
    const origin = `http://127.0.0.1:${port}`;
    return { origin, temporaryFolder, extensionsFolder, userDataFolder, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Installs a packed extension into a folder of extensions. Throws an Error with what was printed when it cannot. */
export async function installVsix(vsixPath: string, extensionsFolder: string): Promise<void> {
  const host = await installHost((line) => console.log(line));
  const temporaryFolder = await mkdtemp(join(tmpdir(), 'ask-codebase-vsix-'));
  try {
    const userDataFolder = join(temporaryFolder, 'user-data');
    const args = await serverArguments(host, temporaryFolder, userDataFolder, extensionsFolder);
    const env = serverEnvironment(temporaryFolder, {});
    const installer = spawnGuarded(host.nodePath, [...args, '--install-extension', vsixPath], {
      env,
      output: 'pipe',
      temporaryFolder,
    });
    const log = outputOf(installer);
    if ((await exitCodeOf(installer)) !== 0) throw new Error(`${vsixPath} cannot be installed:\n${log()}`);
  } finally {
    await rm(temporaryFolder, { recursive: true, force: true });
  }
}

/** Writes the settings files of a user data folder. Settings that are there already and not named are kept. */
export async function writeSettings(
  userDataFolder: string,
  { settings = {}, machineSettings }: Pick<ServerOptions, 'settings' | 'machineSettings'>,
): Promise<void> {
  const files = [
    ['User', { ...quietSettings, ...(await readSettings(userDataFolder)), ...settings }],
    ['Machine', machineSettings],
  ] as const;
  for (const [folder, values] of files) {
    await mkdir(join(userDataFolder, folder), { recursive: true });
    if (values === undefined) continue;
    await writeFile(join(userDataFolder, folder, 'settings.json'), JSON.stringify(values, undefined, 2));
  }
}

/** Nothing but the extension under test shows or does anything unasked. */
const quietSettings: Settings = {
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'update.mode': 'none',
  'git.enabled': false,
};

async function readSettings(userDataFolder: string): Promise<Settings> {
  const path = join(userDataFolder, 'User', 'settings.json');
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const settings: unknown = JSON.parse(text);
  if (typeof settings !== 'object' || settings === null) throw new Error(`${path} holds no object`);
  return { ...settings };
}

async function serverArguments(
  { codeServerPath }: Host,
  temporaryFolder: string,
  userDataFolder: string,
  extensionsFolder: string,
): Promise<string[]> {
  // Without a file of its own it would read the user's.
  const config = join(temporaryFolder, 'config.yaml');
  await writeFile(config, '');
  return [
    codeServerPath,
    ...['--config', config, '--user-data-dir', userDataFolder, '--extensions-dir', extensionsFolder],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
  ];
}

function serverEnvironment(home: string, added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(inherited),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_CACHE_HOME: join(home, '.cache'),
    // No gallery: nothing is looked up outside.
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '' }),
    ...added,
  };
}

/** What a terminal of another VS Code, or a test runner, leaves in the environment. */
const foreign = /^(VSCODE_|VITEST|ELECTRON_RUN_AS_NODE$|NODE_OPTIONS$|NODE_ENV$|PASSWORD$)/;

async function listeningPort({ child }: GuardedProcess, log: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      reject(new Error(`code-server did not listen within ${START_LIMIT_MILLISECONDS / 1_000} s:\n${log()}`));
    }, START_LIMIT_MILLISECONDS);
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      reject(new Error(`code-server ended with ${code ?? signal ?? 'no code'}:\n${log()}`));
    });
    child.stdout?.on('data', () => {
      const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(log())?.[1];
      if (port === undefined) return;
      clearTimeout(limit);
      resolve(Number(port));
    });
  });
}
