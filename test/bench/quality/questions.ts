/**
 * Questions about a package whose answers its source tells, without a model that judges: written facts, functions by
 * their descriptions, relations. What documents functions and classes is taken out of all that is read.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { SourceDocument } from '../../../extension/protocol/nouns.ts';
import type { Grammars } from '../../../extension/retrieval/syntax.ts';
import { withoutDocumentation } from '../undocumented.ts';
import { relationsOf, type Site } from './relations.ts';

export const kindNames = ['fact', 'description', 'relation', 'absent', 'position'] as const;

export type Kind = (typeof kindNames)[number];

export interface Question {
  readonly kind: Kind;
  readonly question: string;
  /** How the answer begins; given to the model and not counted. */
  readonly lead: string;
  readonly answer: string;
  /** Answers of the same form that are wrong; none where any other would be. */
  readonly wrong: readonly string[];
  /** The lines that answer it. */
  readonly evidence: readonly Site[];
}

export interface QuestionedPackage {
  readonly name: string;
  readonly documents: readonly SourceDocument[];
  readonly questions: Readonly<Record<'fact' | 'description' | 'relation', readonly Question[]>>;
}

const factList = z.array(
  z.strictObject({
    package: z.string(),
    path: z.string(),
    /** Part of one line, which holds the answer. */
    code: z.string(),
    question: z.string(),
    lead: z.string(),
    answer: z.string(),
  }),
);

const factsPath = 'test/bench/quality/facts.json';
/** Wrong answers that a right one is compared with. */
const wrongAnswers = 3;

/** @throws when a written fact is not, or not just once, where it is said to be */
export async function questionsOf(
  name: string,
  sources: readonly SourceDocument[],
  grammars: Grammars,
): Promise<QuestionedPackage> {
  const { documents, functions } = await withoutDocumentation(sources, grammars);
  const facts = writtenFacts().filter((fact) => fact.package === name);
  const named = functions.filter(
    (one) => /^\w{4,40}$/.test(one.name) && !mentions(one.description, one.name),
  );
  const names = [...new Set(named.map((one) => one.name))];
  const relations = await relationsOf(documents, grammars);
  return {
    name,
    documents,
    questions: {
      fact: facts.map(({ question, lead, answer, path, code }) => ({
        ...{ kind: 'fact', question, lead, answer, wrong: [] },
        evidence: [placeOf(documents, path, code, answer)],
      })),
      description: named.map((one, index) => ({
        kind: 'description',
        question: `Which function does this: ${one.description}?`,
        lead: 'The function is',
        answer: ` ${one.name}`,
        wrong: spread(
          names.filter((other) => other !== one.name),
          wrongAnswers,
          index,
        ).map((other) => ` ${other}`),
        evidence: [{ path: one.path, lines: [lineNaming(documents, one)] }],
      })),
      relation: relations.map(({ question, lead, members, others, sites }, index) => ({
        ...{ kind: 'relation', question, lead },
        answer: listing(members),
        wrong: Array.from({ length: wrongAnswers }, (_, set) =>
          listing(spread(others, members.length, index + 5 * set)),
        ),
        evidence: sites,
      })),
    },
  };
}

/** Facts that were written by hand: each asks in other words for what stands in one line of a package. */
export function writtenFacts(): z.infer<typeof factList> {
  return factList.parse(JSON.parse(readFileSync(factsPath, 'utf8')));
}

/** " a, b and c", as an answer goes on. */
export function listing(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? ` ${last}` : ` ${names.slice(0, -1).join(', ')} and ${last}`;
}

/** `count` values at even distances, other ones for another `shift`. */
function spread<T>(values: readonly T[], count: number, shift: number): T[] {
  if (values.length <= count) return [...values];
  const step = Math.floor(values.length / count);
  return Array.from({ length: count }, (_, i) => values[(i * step + shift) % values.length]!);
}

function mentions(text: string, name: string): boolean {
  return text.toLowerCase().includes(name.toLowerCase());
}

function placeOf(documents: readonly SourceDocument[], path: string, code: string, answer: string): Site {
  const lines = documents.find((document) => document.path === path)?.text.split('\n') ?? [];
  const found = lines.flatMap((line, row) => (line.includes(code) ? [row + 1] : []));
  if (found.length !== 1 || !code.includes(answer.trim())) {
    throw new Error(`"${code}" with "${answer}" stands ${found.length} times in ${path}`);
  }
  return { path, lines: found };
}

/** Decorators and modifiers may stand on lines above the name. */
function lineNaming(
  documents: readonly SourceDocument[],
  { path, startLine, endLine, name }: { path: string; startLine: number; endLine: number; name: string },
): number {
  const lines = documents.find((document) => document.path === path)!.text.split('\n');
  const row = lines.slice(startLine - 1, endLine).findIndex((line) => line.includes(name));
  return startLine + Math.max(0, row);
}
