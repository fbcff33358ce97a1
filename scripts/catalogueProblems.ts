/** What is wrong with the catalogue's data, as far as it can be known without the network. */
import { fileNameOf, type CatalogueEntry } from '../extension/models/catalogue.ts';
import { expectedHeader, expectedTensors, joinsMatrices } from '../extension/models/expectedTensors.ts';
import { parseHubReference } from '../extension/models/huggingFace.ts';
import { checkServable } from '../extension/models/servable.ts';
import { messageOf } from '../extension/models/modelFolder.ts';

/** What a machine is offered by itself must be free for any use. */
const permissiveLicences: ReadonlySet<string> = new Set(['Apache-2.0', 'MIT']);
/** Makers round the parameters that they state. */
const MOST_PARAMETER_DIFFERENCE = 0.01;

/** One sentence each; none when all is well. */
export function catalogueProblems(entries: readonly CatalogueEntry[]): readonly string[] {
  return [
    ...twice(entries.map(({ name }) => name)).map((name) => `The name ${name} is there twice.`),
    ...twice(entries.map(fileNameOf)).map((name) => `The file name ${name} is there twice.`),
    ...entries.flatMap((entry) => problemsOf(entry).map((problem) => `${entry.name} ${problem}.`)),
  ];
}

function problemsOf(entry: CatalogueEntry): readonly string[] {
  const { shape, quantisation, parameters, license, recommended, languages, verification } = entry;
  const counted = parametersOf(entry);
  const problems = [
    [/\.gguf$/i.test(fileNameOf(entry)), 'has a file that is no GGUF'],
    [
      counted.some((count) => Math.abs(count / parameters - 1) <= MOST_PARAMETER_DIFFERENCE),
      `has ${parameters} parameters, and its shape has ${counted.join(' or ')}`,
    ],
    [shape.queryHeads % shape.kvHeads === 0, 'has query heads that no KV head serves'],
    [
      expectedTensors(shape, quantisation).length > (joinsMatrices(shape) ? 4 : 7) * shape.layers,
      'lacks tensors',
    ],
    [!recommended || permissiveLicences.has(license), `is recommended, and ${license} limits its use`],
    [languages.length > 0 && languages.every(isLanguage), 'names something that is no language'],
  ] as const;
  return [
    ...problems.flatMap(([isWell, problem]) => (isWell ? [] : [problem])),
    ...servingProblems(entry),
    ...(verification.kind === 'hub'
      ? referenceProblems(verification.reference)
      : seenProblems(verification.sha256, verification.sources.length)),
  ];
}

/** Of the matrices, with and without an output of its own, which some files have and the makers did not count. */
function parametersOf({ shape, quantisation }: CatalogueEntry): readonly number[] {
  return [shape.separateOutput, false].map((separateOutput) =>
    expectedTensors({ ...shape, separateOutput }, quantisation)
      .map(({ dimensions: [columns = 0, rows = 0] }) => columns * rows)
      .reduce((sum, count) => sum + count, 0),
  );
}

function servingProblems(entry: CatalogueEntry): readonly string[] {
  try {
    checkServable(expectedHeader(entry));
    return [];
  } catch (error) {
    return [`would be refused: ${messageOf(error)}`];
  }
}

function referenceProblems(reference: string): readonly string[] {
  try {
    return parseHubReference(reference)?.file === undefined ? [`names no file: ${reference}`] : [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function seenProblems(sha256: string, sources: number): readonly string[] {
  const problems = [
    [/^[0-9a-f]{64}$/.test(sha256), 'has a checksum of another form'],
    [sources > 0, 'comes from nowhere'],
  ] as const;
  return problems.flatMap(([isWell, problem]) => (isWell ? [] : [problem]));
}

function isLanguage(code: string): boolean {
  const name = /^[a-z]{2}$/.test(code) ? new Intl.DisplayNames('en', { type: 'language' }).of(code) : code;
  return name !== code;
}

/** Letter case aside. */
function twice(names: readonly string[]): readonly string[] {
  const lower = names.map((name) => name.toLowerCase());
  return names.filter((_, index) => lower.indexOf(lower[index] ?? '') !== index);
}
