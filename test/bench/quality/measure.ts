/** Asks the questions of a group in each way: how likely the right answer is, and what of its evidence is held. */
import type { DocumentTokens } from '../../../extension/engine/documentTokens.ts';
import type { LoadedEngine } from '../../../extension/engine/loadedEngine.ts';
import type { Passage } from '../../../extension/protocol/nouns.ts';
import { passageText } from '../../../extension/protocol/passageText.ts';
import { likelihoodsOf, read, type Reading } from '../likelihood.ts';
import type { Group } from './groups.ts';
import type { Kvpress } from './kvpress.ts';
import type { Kind, Question } from './questions.ts';
import type { Site } from './relations.ts';
import { longestWhole } from './report.ts';
import { defaultLimit, wayOf, type WayName, type WayReading } from './ways.ts';

/** What names a measurement. */
export interface RowKey {
  readonly package: string;
  readonly kind: Kind;
  readonly question: string;
  readonly way: WayName;
  /** Document tokens that generation sees at most; 0 where nothing bounds them. */
  readonly budget: number;
  /** Document tokens of everything, headers included. */
  readonly readingTokens: number;
  /** Where what is asked for stands, 0 to 1; null where it stands anywhere. */
  readonly place: number | null;
}

export interface Measured extends RowKey {
  readonly round: number;
  /** Document tokens that go through the model, and of those that generation sees. */
  readonly documentTokens: number;
  readonly seenTokens: number;
  /** Mean over the tokens of the right answer, nats. */
  readonly nll: number;
  /** Whether greedy generation begins with the answer. */
  readonly exact: boolean;
  /** Whether the right answer is likelier, a token, than each wrong one; null without wrong ones. */
  readonly chosen: boolean | null;
  /** Shares of the lines, and of the files, that answer it and are held; null where there are none. */
  readonly lineRecall: number | null;
  readonly fileRecall: number | null;
  /** See `FinalAttention`. */
  readonly focus: number | null;
  /** Until the answer can begin: reading, and what follows the document. */
  readonly seconds: number;
}

export interface Wanted {
  readonly kinds: readonly Kind[];
  readonly ways: readonly WayName[];
  /** Tokens, of the ways that have a budget. */
  readonly budgets: readonly number[];
  /** Null: that way is not measured. */
  readonly kvpress: Kvpress | null;
}

/** Of a line's tokens, the share over all lists of the cache that has to be kept for the line to be held. */
const heldShare = 0.5;

/** The missing rows of a group, way by way; what does not depend on the question is read once for all. */
export async function* measureGroup(
  engine: LoadedEngine,
  { documents, questions, ...group }: Group,
  wanted: Wanted,
  isMissing: (key: RowKey) => boolean,
): AsyncGenerator<Measured> {
  const { model, evidenceHeads } = engine;
  const place = group.place ?? null;
  const countTokens = (text: string): number => model.tokenize(text, { special: false }).length;
  const everything = await wayOf('everything').read({
    ...{ documents, question: '', tokenBudget: 0, countTokens, evidenceHeads },
  });
  const readingTokens = everything.passages.reduce((sum, one) => sum + countTokens(passageText(one)), 0);
  for (const name of wanted.ways) {
    if (name === 'everything' && readingTokens > longestWhole) continue;
    const way = wayOf(name);
    for (const budget of way.byBudget ? wanted.budgets : [0]) {
      // It would be `default` once more.
      if (name === 'allRead' && readingTokens <= defaultLimit(budget)) continue;
      let shared: Timed | null = null;
      for (const question of questions) {
        const { kind } = question;
        if (!wanted.kinds.includes(kind) || !isMeasured(kind, name, budget, wanted)) continue;
        const key = {
          package: group.package,
          kind,
          question: question.question,
          way: name,
          budget,
          readingTokens,
          place,
        };
        if (!isMissing(key)) continue;
        const parts = {
          documents,
          question: question.question,
          tokenBudget: budget,
          countTokens,
          evidenceHeads,
        };
        if (name === 'kvpress') {
          if (wanted.kvpress === null) continue;
          const pressed = await askPressed(
            engine,
            wanted.kvpress,
            (await way.read(parts)).passages,
            question,
            budget,
          );
          yield { ...key, round: group.round, ...pressed };
          continue;
        }
        const timed: Timed =
          (way.byQuestion ? null : shared) ?? (await readTimed(engine, await way.read(parts), question));
        shared = timed;
        yield { ...key, round: group.round, ...(await askTimed(engine, timed, question)) };
      }
    }
  }
}

/**
 * Of what is absent the focus counts, as the product reads; depths are compared where files keep their order, since
 * ranking would put what is asked for at the end: both at one budget.
 */
function isMeasured(kind: Kind, way: WayName, budget: number, { budgets }: Wanted): boolean {
  if (kind === 'position') return way === 'nothing' || (way === 'inFileOrder' && budget === budgets[0]);
  if (kind === 'absent') return way === 'default' && budget === budgets[0];
  return way !== 'inFileOrder';
}

interface Timed {
  readonly reading: Reading;
  readonly passages: readonly Passage[];
  readonly seconds: number;
}

async function readTimed(
  engine: LoadedEngine,
  { passages, options }: WayReading,
  { question }: Question,
): Promise<Timed> {
  const begin = performance.now();
  const reading = await read(engine, passages, question, options);
  return { reading, passages, seconds: (performance.now() - begin) / 1000 };
}

async function askTimed(
  engine: LoadedEngine,
  { reading, passages, seconds }: Timed,
  { question, lead, answer, wrong, evidence }: Question,
): Promise<Omit<Measured, keyof RowKey | 'round'>> {
  const { answers, focus, suffixSeconds } = await likelihoodsOf(engine, reading, { question, lead }, [
    answer,
    ...wrong,
  ]);
  const [right, ...others] = answers;
  const held = new Int32Array(reading.document.tokens.length);
  for (const { entries } of reading.cache.lists) {
    for (const entry of entries) if (entry >= 0) held[entry]!++;
  }
  const lists = reading.cache.lists.length;
  return {
    documentTokens: reading.document.tokens.length,
    seenTokens: reading.keptTokens,
    nll: rounded(right!.nll),
    exact: right!.greedy,
    chosen: others.length === 0 ? null : others.every(({ nll }) => right!.nll < nll),
    ...recallOf(evidence, isHeldIn(reading.document, held, lists, passages)),
    focus: focus === null ? null : rounded(focus),
    seconds: rounded(seconds + suffixSeconds),
  };
}

async function askPressed(
  engine: LoadedEngine,
  kvpress: Kvpress,
  passages: readonly Passage[],
  question: Question,
  tokenBudget: number,
): Promise<Omit<Measured, keyof RowKey | 'round'>> {
  const { answer, wrong, evidence } = question;
  const pressed = await kvpress.ask(engine, passages, question, [answer, ...wrong], tokenBudget);
  const [right, ...others] = pressed.answers;
  const { document, held, lists } = pressed;
  return {
    documentTokens: document.tokens.length,
    seenTokens: Math.min(tokenBudget, document.tokens.length),
    nll: rounded(right!.nll),
    exact: right!.greedy,
    chosen: others.length === 0 ? null : others.every(({ nll }) => right!.nll < nll),
    ...recallOf(evidence, isHeldIn(document, held, lists, passages)),
    focus: null,
    seconds: rounded(pressed.seconds),
  };
}

/** Of the lines that answer, and of their files, the share that is held. */
export function recallOf(
  evidence: readonly Site[],
  isHeld: (path: string, line: number) => boolean,
): Pick<Measured, 'lineRecall' | 'fileRecall'> {
  if (evidence.length === 0) return { lineRecall: null, fileRecall: null };
  const lines = evidence.flatMap(({ path, lines }) => lines.map((line) => ({ path, line })));
  const held = lines.filter(({ path, line }) => isHeld(path, line));
  const files = new Set(lines.map(({ path }) => path));
  return {
    lineRecall: rounded(held.length / lines.length),
    fileRecall: rounded(new Set(held.map(({ path }) => path)).size / files.size),
  };
}

/**
 * Whether half of a line's tokens are held, over all lists of the cache.
 * @param held per document token, how many of the lists hold it
 */
function isHeldIn(
  { lineOf, lines }: DocumentTokens,
  held: Int32Array,
  lists: number,
  passages: readonly Passage[],
): (path: string, line: number) => boolean {
  const [total, kept] = [new Int32Array(lines.length), new Int32Array(lines.length)];
  lineOf.forEach((line, token) => {
    total[line]!++;
    kept[line]! += held[token]!;
  });
  const heldLines = new Map<string, Set<number>>();
  lines.forEach(({ passage, sourceLine }, line) => {
    if (sourceLine === null || total[line] === 0 || kept[line]! < heldShare * total[line]! * lists) return;
    const { path } = passages[passage]!;
    heldLines.set(path, (heldLines.get(path) ?? new Set()).add(sourceLine));
  });
  return (path, line) => heldLines.get(path)?.has(line) ?? false;
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
