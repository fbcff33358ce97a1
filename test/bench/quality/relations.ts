/** Who calls, who raises, who overrides: relations that the syntax tree of a whole package tells. */
import type { Node } from 'web-tree-sitter';
import { Parser } from 'web-tree-sitter';
import type { SourceDocument } from '../../../extension/protocol/nouns.ts';
import { languageOf } from '../../../extension/retrieval/languages.ts';
import type { Grammars } from '../../../extension/retrieval/syntax.ts';
import { functionTypes } from '../describedFunctions.ts';
import { nameNodeOf, nameOf } from '../undocumented.ts';

/** Lines of one file, 1-based, none between them. */
export interface Site {
  readonly path: string;
  readonly lines: readonly number[];
}

export interface Relation {
  readonly question: string;
  readonly lead: string;
  /** The names asked for, in the order of their places. */
  readonly members: readonly string[];
  /** Names of the same kind that are not among them. */
  readonly others: readonly string[];
  /** Where each member's name and what it does are. */
  readonly sites: readonly Site[];
}

/** Members asked for. */
const fewest = 2;
const most = 3;
/** Lines between a function's name and what it does. */
const farthest = 40;

interface Found {
  readonly member: string;
  readonly target: string;
  readonly site: Site;
}

interface FoundClass {
  readonly name: string;
  readonly line: number;
  readonly path: string;
  readonly bases: readonly string[];
  /** Lines of its methods by name. */
  readonly methods: ReadonlyMap<string, number>;
}

/** Those with two or three members, over several files first; always the same for the same sources. */
export async function relationsOf(
  documents: readonly SourceDocument[],
  grammars: Grammars,
): Promise<Relation[]> {
  const calls: Found[] = [];
  const raises: Found[] = [];
  const classes: FoundClass[] = [];
  const defined = new Map<string, number>();
  for (const document of documents) {
    const language = languageOf(document.path);
    const grammar = language === undefined ? undefined : await grammars.load(language);
    if (grammar === undefined) continue;
    const parser = new Parser();
    const tree = parser.setLanguage(grammar).parse(document.text);
    for (const node of tree?.rootNode.descendantsOfType([...functionTypes]) ?? []) {
      if (node === null) continue;
      const name = nameOf(node);
      defined.set(name, (defined.get(name) ?? 0) + 1);
      calls.push(...doneIn(node, document.path, callTypes, calledName));
      raises.push(...doneIn(node, document.path, raiseTypes, raisedName));
    }
    for (const node of tree?.rootNode.descendantsOfType([...classTypes]) ?? []) {
      if (node !== null) classes.push(classAt(node, document.path));
    }
    tree?.delete();
    parser.delete();
  }
  const isClear = (name: string): boolean => defined.get(name) === 1 && /^\w{4,40}$/.test(name);
  const names = [...defined.keys()].filter(isClear);
  const relations = [
    ...grouped(
      calls.filter(({ member, target }) => isClear(member) && isClear(target) && member !== target),
      names,
      (target) => [`Which functions call ${target}?`, `${target} is called by`],
    ),
    ...grouped(
      raises.filter(({ member }) => isClear(member)),
      names,
      (target) => [`Which functions raise ${target}?`, `${target} is raised by`],
    ),
    ...grouped(
      overridesOf(classes),
      classes.map(({ name }) => name),
      (target) => [`Which classes override ${target}?`, `${target} is overridden by`],
    ),
  ];
  const files = ({ sites }: Relation): number => new Set(sites.map(({ path }) => path)).size;
  return relations.sort((a, b) => files(b) - files(a) || (a.question < b.question ? -1 : 1));
}

const callTypes = ['call', 'call_expression', 'method_invocation'];
const raiseTypes = ['raise_statement', 'throw_statement', 'throw_expression'];
const classTypes = ['class_definition', 'class_declaration', 'abstract_class_declaration'];

function doneIn(
  node: Node,
  path: string,
  types: readonly string[],
  targetOf: (inner: Node) => string | undefined,
): Found[] {
  const first = nameRow(node);
  return node.descendantsOfType([...types]).flatMap((inner) => {
    const isOwn = inner !== null && functionAround(inner)?.id === node.id;
    const target = isOwn ? targetOf(inner) : undefined;
    const row = inner?.startPosition.row ?? first;
    if (target === undefined || row - first > farthest) return [];
    return [{ member: nameOf(node), target, site: { path, lines: distinct([first + 1, row + 1]) } }];
  });
}

/** The innermost. */
function functionAround(node: Node): Node | null {
  let around = node.parent;
  while (around !== null && !functionTypes.includes(around.type)) around = around.parent;
  return around;
}

function nameRow(node: Node): number {
  return (nameNodeOf(node) ?? node).startPosition.row;
}

function calledName(call: Node): string | undefined {
  const called = call.childForFieldName('function') ?? call.childForFieldName('name');
  return /(\w+)$/.exec(called?.text ?? '')?.[1];
}

function raisedName(statement: Node): string | undefined {
  return /^(?:raise|throw)\s+(?:new\s+)?(?:\w+\.)*([A-Z]\w+)/.exec(statement.text)?.[1];
}

function classAt(node: Node, path: string): FoundClass {
  const head = node.text.slice(0, node.text.search(/[{:]\s*(?:\n|$)/));
  const methods = node
    .descendantsOfType([...functionTypes])
    .flatMap((method) => (method === null ? [] : [[nameOf(method), nameRow(method) + 1] as const]));
  const bases =
    head
      .split(/\bextends\b|\(/)
      .slice(1)
      .join(' ')
      .match(/\w+/g) ?? [];
  return { name: nameOf(node), line: nameRow(node) + 1, path, bases, methods: new Map(methods) };
}

function overridesOf(classes: readonly FoundClass[]): Found[] {
  return classes.flatMap(({ name, line, path, bases, methods }) =>
    classes
      .filter((base) => bases.includes(base.name))
      .flatMap((base) =>
        [...methods]
          .filter(([method, at]) => base.methods.has(method) && at - line <= farthest && !isSpecial(method))
          .map(([method, at]) => ({
            member: name,
            target: `${method} of ${base.name}`,
            site: { path, lines: distinct([line, at]) },
          })),
      ),
  );
}

/** Every class has these. */
function isSpecial(method: string): boolean {
  return /^(?:__\w+__|constructor|toString)$/.test(method);
}

function grouped(
  found: readonly Found[],
  names: readonly string[],
  words: (target: string) => readonly [question: string, lead: string],
): Relation[] {
  const byTarget = new Map<string, Map<string, Site>>();
  for (const { member, target, site } of found) {
    const members = byTarget.get(target) ?? new Map<string, Site>();
    byTarget.set(target, members);
    if (!members.has(member)) members.set(member, site);
  }
  return [...byTarget].flatMap(([target, members]) => {
    if (members.size < fewest || members.size > most) return [];
    const [question, lead] = words(target);
    const others = distinct(names).filter((name) => !members.has(name) && name !== target);
    if (others.length < most) return [];
    return [{ question, lead, members: [...members.keys()], others, sites: [...members.values()] }];
  });
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
