/** Which of the catalogue's models suit a machine, and why: a pure function of what the machine has. */
import { bytesText, durationText } from './amounts.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { expectedHeader } from './expectedTensors.ts';
import type { MachineFacts } from './machine.ts';
import type { GgufHeader } from './ggufFile.ts';
import { estimateMemory, processBytes } from './memoryEstimate.ts';

export type Choice = 'fast' | 'balanced' | 'best';

export interface Room {
  readonly onGpu: boolean;
  /** Of the memory that it would be in. */
  readonly freeBytes: number;
  readonly fits: boolean;
}

export interface Recommendation extends Room {
  readonly choice: Choice;
  readonly entry: CatalogueEntry;
  /** Memory that it takes while it answers. */
  readonly neededBytes: number;
  /** Seconds that reading 10,000 tokens is estimated to take. */
  readonly seconds: number;
}

export interface Recommendations {
  /** Fastest first, two or one of them where others would be the same. */
  readonly choices: readonly Recommendation[];
  /** The one of them to take when nobody asks. */
  readonly first: Recommendation;
}

/** English; translations are made of them. `{0}` is the reading time, `{1}` and `{2}` memory. */
export const choiceTexts = {
  fast: 'Reads quickest.',
  balanced: 'Good answers for the time that reading takes.',
  best: 'The best answers that this machine can give in reasonable time.',
} as const satisfies Record<Choice, string>;
export const figureTexts = {
  processor: 'Reads 10,000 tokens in about {0} on the processor, and takes about {1} of {2} of free memory.',
  gpu: 'Reads 10,000 tokens in about {0} on the GPU, and takes about {1} of {2} of its free memory.',
  tight:
    'Nothing in the catalogue fits well: it takes about {1} of {2} of free memory, and reads 10,000 tokens in about {0}.',
} as const;

/** A sentence with its numbers; English until its template is translated. */
export function figures({ fits, onGpu, seconds, neededBytes, freeBytes }: Recommendation): {
  readonly template: string;
  readonly args: readonly string[];
} {
  const template = !fits ? figureTexts.tight : onGpu ? figureTexts.gpu : figureTexts.processor;
  return { template, args: [durationText(seconds), bytesText(neededBytes), bytesText(freeBytes)] };
}

const READ_TOKENS = 10_000;

/**
 * Reading takes about 2 floating-point operations for each parameter and token, so that speed is a constant of the
 * machine divided by the parameters. For processors it was measured: the 135M model in q4_K_M reads about 450 tokens/s on 2 cores
 * of an AMD EPYC, and cores count alike. For GPUs it is assumed, and low: 180 tokens/s of a 7B model where memory is
 * shared (an M2), 1,800 on a card of its own memory.
 */
const PARAMETER_TOKENS_PER_CORE_SECOND = (134.5e6 * 450) / 2;
const PARAMETER_TOKENS_PER_UNIFIED_GPU_SECOND = 7e9 * 180;
const PARAMETER_TOKENS_PER_OWN_GPU_SECOND = 7e9 * 1_800;

/** Of free memory, so much may be taken: main memory is wanted by other programs, too. */
const SHARE_OF_MAIN_MEMORY = 0.7;
const SHARE_OF_GPU_MEMORY = 0.92;

/** Seconds for 10,000 tokens beyond which a model is not offered as the choice. */
const MOST_SECONDS: Readonly<Record<Choice, number>> = { fast: 60, balanced: 180, best: 600 };
/** A faster choice reads in this share of the next one's time, or it would hardly be another. */
const FASTER = 0.6;
/** The best choice is the first one, too, where it reads all of a usual question in the time that nobody minds. */
const UNNOTICED_SECONDS = 30;
const SMALL_SHARE_OF_MEMORY = 0.5;

/** What a first question needs, tokens. */
const usualQuestion = {
  ...{ contextSize: 2560, chunkTokens: 512, tokenBudget: 1024, batchTokens: 512, questionTokens: 64 },
} as const;

/** @param entries at least one of them is recommended at all */
export function recommend(machine: MachineFacts, entries: readonly CatalogueEntry[]): Recommendations {
  const judged = entries
    .filter(({ recommended }) => recommended)
    .toSorted((a, b) => b.parameters - a.parameters)
    .map((entry) => ({ entry, ...judge(entry, machine) }));
  const fitting = judged.filter(({ fits }) => fits);
  const largest = (seconds: number) => fitting.find((one) => one.seconds <= seconds);
  const best = largest(MOST_SECONDS.best);
  if (best === undefined) {
    const smallest = fitting.at(-1) ?? judged.at(-1);
    if (smallest === undefined) throw new Error('The catalogue recommends nothing.');
    const only = { ...smallest, choice: 'fast' } as const;
    return { choices: [only], first: only };
  }
  const balanced = largest(Math.min(MOST_SECONDS.balanced, FASTER * best.seconds));
  const fast = balanced && largest(Math.min(MOST_SECONDS.fast, FASTER * balanced.seconds));
  const choices: Recommendation[] = [
    ...(fast === undefined ? [] : [{ ...fast, choice: 'fast' } as const]),
    ...(balanced === undefined ? [] : [{ ...balanced, choice: 'balanced' } as const]),
    { ...best, choice: 'best' },
  ];
  const unnoticed =
    best.seconds <= UNNOTICED_SECONDS && best.neededBytes <= SMALL_SHARE_OF_MEMORY * best.freeBytes;
  const wanted: Choice = unnoticed || balanced === undefined ? 'best' : 'balanced';
  return { choices, first: choices.find(({ choice }) => choice === wanted)! };
}

/** What an entry would take of the machine. */
export function judge(
  entry: CatalogueEntry,
  machine: MachineFacts,
): Omit<Recommendation, 'choice' | 'entry'> {
  const neededBytes = usualBytes(expectedHeader(entry));
  const room = roomFor(neededBytes, machine);
  const perSecond =
    !room.onGpu || machine.gpu?.integrated === true
      ? PARAMETER_TOKENS_PER_CORE_SECOND * machine.cores
      : machine.gpu?.unified === true
        ? PARAMETER_TOKENS_PER_UNIFIED_GPU_SECOND
        : PARAMETER_TOKENS_PER_OWN_GPU_SECOND;
  return { neededBytes, ...room, seconds: (READ_TOKENS * entry.parameters) / perSecond };
}

/** Memory that a usual question takes, the engine's process included. */
export function usualBytes(header: GgufHeader): number {
  return estimateMemory(header, usualQuestion).totalBytes + processBytes;
}

/**
 * Where a model runs: on the GPU when its memory has room for all of it. What an integrated one takes is main memory,
 * which other programs want, too.
 */
export function roomFor(neededBytes: number, { gpu, freeBytes }: MachineFacts): Room {
  const share = gpu?.integrated === true ? SHARE_OF_MAIN_MEMORY : SHARE_OF_GPU_MEMORY;
  if (gpu !== null && neededBytes <= share * gpu.freeBytes) {
    return { onGpu: true, freeBytes: gpu.freeBytes, fits: true };
  }
  return { onGpu: false, freeBytes, fits: neededBytes <= SHARE_OF_MAIN_MEMORY * freeBytes };
}
