/** The options of `npm run ask`: one table makes the parser, the defaults and the help. */
import { parseArgs } from 'node:util';
import { leastDefaultReading, patienceSeconds, readPerKept } from '../ask.ts';
import { errors } from '../errors.ts';
import type { DeviceName, KvCacheType, PresetName } from '../protocol/engine.ts';

export interface AskArguments {
  readonly question: string;
  /** As given, in the order given; the current folder when none was. */
  readonly workspaces: readonly string[];
  /** Name or path; the default model when absent. */
  readonly model?: string;
  readonly tokenBudget: number;
  /** Tokens; chosen from the budget and the measured speed when absent. */
  readonly readingLimit?: number | 'all';
  readonly maxAnswerTokens: number;
  readonly device: DeviceName;
  readonly kvCacheType: KvCacheType;
  readonly preset: PresetName;
  /** `auto`: what was read before is not read again. */
  readonly reuse: 'auto' | 'never';
  readonly json: boolean;
}

export const defaultTokenBudget = 1024; // tokens kept per layer and KV head
export const defaultMaxAnswerTokens = 400;

export const devices: readonly DeviceName[] = ['auto', 'cpu', 'vulkan', 'cuda', 'metal'];
export const kvCacheTypes: readonly KvCacheType[] = ['f16', 'q8_0'];
const presets: readonly PresetName[] = ['default', 'perHead', 'paper'];
const reuses: readonly AskArguments['reuse'][] = ['auto', 'never'];

export const mostTokens = 100_000_000; // beyond it a number is a slip of the finger
export const leastTokenBudget = 64; // below it not even the always-kept first tokens and a few lines fit

/**
 * The arguments of a command line without the two leading program names. `--help` wins over every value, and
 * `--list-models` over every other.
 * Throws `badArgument`, whose message names the option and what it accepts.
 */
export function parseArguments(commandLine: readonly string[]): AskArguments | 'help' | 'listModels' {
  const { values, positionals } = parse(commandLine);
  if (values.help === true) return 'help';
  if (values['list-models'] === true) return 'listModels';

  const question = positionals.join(' ').trim();
  if (question === '') throw errors.badArgument('The question', 'is missing');

  const workspaces = values.workspace ?? ['.'];
  if (workspaces.includes('')) throw errors.badArgument('--workspace', 'needs a folder');
  if (values.model === '') throw errors.badArgument('--model', 'needs a name or the path of a GGUF file');
  const limit = values['reading-limit'];

  return {
    question,
    workspaces,
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(limit === undefined ? {} : { readingLimit: limit === 'all' ? limit : readingLimit(limit) }),
    tokenBudget: wholeNumber('--token-budget', values['token-budget'], leastTokenBudget, defaultTokenBudget),
    maxAnswerTokens: wholeNumber(
      '--max-answer-tokens',
      values['max-answer-tokens'],
      1,
      defaultMaxAnswerTokens,
    ),
    device: oneOf('--device', values.device ?? 'auto', devices),
    kvCacheType: oneOf('--kv-cache', values['kv-cache'] ?? 'f16', kvCacheTypes),
    preset: oneOf('--preset', values.preset ?? 'default', presets),
    reuse: oneOf('--reuse', values.reuse ?? 'auto', reuses),
    json: values.json ?? false,
  };
}

/** Whether errors in this command line should be told as JSON; asked before it is known to be valid. */
export function wantsJson(commandLine: readonly string[]): boolean {
  const end = commandLine.indexOf('--');
  return commandLine.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** Every line is shorter than 80 columns. */
export const helpText = `Usage: npm run ask -- [options] "question"

Reads the files of a workspace under the question, with a model on this
machine, and answers with citations. Nothing leaves the machine.

  --workspace DIR        folder to read; repeat it for several
                         (default: the current folder)
  --model MODEL          model of the catalogue, path of a GGUF file, or
                         hf:owner/repository/file.gguf[@revision]
                         (default: the catalogue's first; downloaded once)
  --token-budget N       tokens kept in the KV cache (default: ${defaultTokenBudget})
  --reading-limit N|all  tokens to read at most (default: ${readPerKept} times the
                         budget, or what this machine reads in ${patienceSeconds} s
                         where that is less, and at least ${leastDefaultReading})
  --max-answer-tokens N  longest answer (default: ${defaultMaxAnswerTokens})
  --device NAME          ${devices.join(', ')} (default: auto)
  --kv-cache TYPE        ${kvCacheTypes.join(', ')}: q8_0 takes about half the memory
                         (default: f16)
  --preset NAME          what compression keeps: ${presets.join(', ')}
                         (default: default)
  --reuse auto|never     go on with what was read before, and keep what is
                         read now (default: auto)
  --json                 JSON lines on standard output (default: text)
  --list-models          what suits this machine, what is here, what there is
  --help                 this text

Exit codes: 0 answered, 2 bad input, 3 engine failure, 130 cancelled.
Ctrl-C stops; a second Ctrl-C stops without waiting for anything.
`;

function parse(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      allowPositionals: true,
      options: {
        workspace: { type: 'string', multiple: true },
        model: { type: 'string' },
        'token-budget': { type: 'string' },
        'reading-limit': { type: 'string' },
        'max-answer-tokens': { type: 'string' },
        device: { type: 'string' },
        'kv-cache': { type: 'string' },
        preset: { type: 'string' },
        reuse: { type: 'string' },
        json: { type: 'boolean' },
        'list-models': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw badOption(error);
  }
}

/** Node's messages name the option in quotes, at times with a hint of several lines; the first sentence is enough. */
export function badOption(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const option = /--?[\p{L}\p{N}][\p{L}\p{N}-]*/u.exec(message)?.[0];
  if (option === undefined) return errors.badArgument('The command line', `cannot be read: ${message}`);
  if (message.startsWith('Unknown option')) return errors.badArgument(option, 'is not an option');
  if (message.includes('does not take an argument')) return errors.badArgument(option, 'takes no value');
  return errors.badArgument(option, 'needs a value');
}

function readingLimit(text: string): number {
  return wholeNumber('--reading-limit', text, 1, 1, ' or "all"');
}

function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  fallback: number,
  orElse = '',
): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= mostTokens) return value;
  throw errors.badArgument(
    name,
    `takes a whole number from ${least} to ${mostTokens}${orElse}, not "${text}"`,
  );
}

export function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const value = allowed.find((one) => one === text);
  if (value !== undefined) return value;
  throw errors.badArgument(name, `takes one of ${allowed.join(', ')}, not "${text}"`);
}
