/** The options of `npm run mcp`, `index` and `test-machine`: the folders, and the model that reads them. */
import { parseArgs } from 'node:util';
import { errors } from '../errors.ts';
import type { DeviceName, KvCacheType } from '../protocol/engine.ts';
import { badOption, devices, kvCacheTypes, oneOf } from './arguments.ts';

export interface FolderArguments {
  /** As given, in the order given; the current folder when none was. */
  readonly workspaces: readonly string[];
  /** Name or path; the default model when absent. */
  readonly model?: string;
  readonly device: DeviceName;
  readonly kvCacheType: KvCacheType;
}

/**
 * The arguments of a command line without the two leading program names. `--help` wins over every value.
 * Throws `badArgument`, whose message names the option and what it accepts.
 */
export function parseFolderArguments(commandLine: readonly string[]): FolderArguments | 'help' {
  const {
    model,
    workspace = ['.'],
    device = 'auto',
    'kv-cache': kvCacheType = 'f16',
    help,
  } = parse(commandLine);
  if (help === true) return 'help';
  if (workspace.includes('')) throw errors.badArgument('--workspace', 'needs a folder');
  if (model === '') throw errors.badArgument('--model', 'needs a name or the path of a GGUF file');
  return {
    workspaces: workspace,
    ...(model === undefined ? {} : { model }),
    device: oneOf('--device', device, devices),
    kvCacheType: oneOf('--kv-cache', kvCacheType, kvCacheTypes),
  };
}

/** Every line is shorter than 80 columns. */
export const mcpHelpText = `Usage: npm run --silent mcp -- [options]

Serves the tool ask_codebase to an agent: MCP over standard input and output.
It answers questions about the given folders with a model on this machine.
Nothing leaves the machine but what the agent is answered.

  --workspace DIR     folder that may be read; repeat it for several
                      (default: the current folder)
  --model MODEL       model of the catalogue, path of a GGUF file, or
                      hf:owner/repository/file.gguf[@revision]
                      (default: the catalogue's first; downloaded once)
  --device NAME       ${devices.join(', ')} (default: auto)
  --kv-cache TYPE     ${kvCacheTypes.join(', ')}: q8_0 takes about half the memory
                      (default: f16)
  --help              this text

Ends when its standard input does.
Exit codes: 0 ended, 2 bad input, 3 failure.
`;

export const indexHelpText = `Usage: npm run index -- [options]

Reads the files of a workspace once, with a model on this machine, so that
later questions are compared with all of them without reading. What is
indexed already is not read again. Nothing leaves the machine.

  --workspace DIR     folder to index; repeat it for several, as for ask
                      (default: the current folder)
  --model MODEL       model of the catalogue, path of a GGUF file, or
                      hf:owner/repository/file.gguf[@revision]
                      (default: the catalogue's first; downloaded once)
  --device NAME       ${devices.join(', ')} (default: auto)
  --kv-cache TYPE     ${kvCacheTypes.join(', ')}: q8_0 takes about half the memory
                      (default: f16)
  --help              this text

Exit codes: 0 indexed, 2 bad input, 3 engine failure, 130 cancelled.
Ctrl-C stops; what was indexed stays, and the next call goes on from there.
`;

export const testMachineHelpText = `Usage: npm run test-machine -- [options]

Loads a model, lets it read and answer a text of its own, and prints the
speeds, the memory and the devices, and how long the files of the workspace
would take. Their text is counted and not read by the model.

  --workspace DIR     folder; repeat it for several, as for ask
                      (default: the current folder)
  --model NAME|PATH   model of the catalogue, or a GGUF file
                      (default: the catalogue's first; downloaded once)
  --device NAME       ${devices.join(', ')} (default: auto)
  --kv-cache TYPE     ${kvCacheTypes.join(', ')}: q8_0 takes about half the memory
                      (default: f16)
  --help              this text

Exit codes: 0 tested, 2 bad input, 3 engine failure, 130 cancelled.
`;

function parse(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      options: {
        workspace: { type: 'string', multiple: true },
        model: { type: 'string' },
        device: { type: 'string' },
        'kv-cache': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw badOption(error);
  }
}
