/**
 * `npm run check-catalogue`: holds the catalogue to itself and, where there is a network, to the files: each must be
 * there, with the size, the checksum and the shape that the catalogue says.
 * Exits with 1 when something is wrong; what could not be reached is told and is no fault.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogueEntry } from '../extension/models/catalogue.ts';
import { catalogue } from '../extension/models/catalogueEntries.ts';
import { aboutBytes } from '../extension/models/expectedTensors.ts';
import { readGgufHeader } from '../extension/models/ggufFile.ts';
import {
  askHubFile,
  hubModelFile,
  parseHubReference,
  type HubRecord,
  type HubReference,
} from '../extension/models/huggingFace.ts';
import { messageOf } from '../extension/models/modelFolder.ts';
import { modelShape } from '../extension/models/modelShape.ts';
import { checkServable } from '../extension/models/servable.ts';
import { isAskError } from '../extension/errors.ts';
import { catalogueProblems } from './catalogueProblems.ts';

/** A computed size may differ from the file's by so much. */
const MOST_SIZE_DIFFERENCE = 0.02;
/** Metadata and tokenizer come first, and are shorter than this. */
const HEADER_BYTES = 32 * 2 ** 20;

const { signal } = new AbortController();
const problems = [...catalogueProblems(catalogue)];
let compared = 0;
for (const entry of catalogue) {
  const reference = referenceOf(entry);
  if (reference === undefined) continue;
  try {
    const record = await askHubFile(reference, { signal });
    const found = [...sizeProblems(entry, record), ...(await headerProblems(entry, reference, record))];
    problems.push(...found.map((problem) => `${entry.name} ${problem}.`));
    compared += 1;
    console.log(`${entry.name}: ${record.bytes} bytes, sha256 ${record.sha256}, commit ${record.commit}`);
  } catch (error) {
    if (isAskError(error, 'downloadFailed')) console.log(`${entry.name}: not compared. ${error.message}`);
    else problems.push(`${entry.name}: ${messageOf(error)}.`);
  }
}
for (const problem of problems) console.error(problem);
console.log(`${catalogue.length} models, ${compared} compared with their files, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

function referenceOf({ verification }: CatalogueEntry): HubReference | undefined {
  if (verification.kind === 'hub') return parseHubReference(verification.reference);
  const urls = verification.sources.flatMap((source) => (source.kind === 'http' ? [source.url] : []));
  return urls.map((url) => parseHubReference(url)).find((reference) => reference !== undefined);
}

function sizeProblems(entry: CatalogueEntry, { bytes, sha256 }: HubRecord): readonly string[] {
  const { verification } = entry;
  if (verification.kind === 'hub') {
    const about = aboutBytes(entry);
    const isNear = Math.abs(about / bytes - 1) <= MOST_SIZE_DIFFERENCE;
    return isNear ? [] : [`has ${bytes} bytes, and ${about.toFixed(0)} were computed`];
  }
  return [
    ...(verification.bytes === bytes ? [] : [`has ${bytes} bytes`]),
    ...(verification.sha256 === sha256 ? [] : [`has the checksum ${sha256}`]),
  ];
}

/** Of the file's beginning, put into a file of the whole length whose rest is a hole. */
async function headerProblems(
  entry: CatalogueEntry,
  reference: HubReference,
  record: HubRecord,
): Promise<readonly string[]> {
  const { sources } = hubModelFile(reference, record);
  const url = sources.flatMap((source) => (source.kind === 'http' ? [source.url] : []))[0];
  if (url === undefined) return [];
  const answer = await fetch(url, { headers: { range: `bytes=0-${HEADER_BYTES - 1}` } });
  if (answer.status !== 206) return [`does not come in part (HTTP ${answer.status})`];
  const folder = await mkdtemp(join(tmpdir(), 'catalogue-'));
  try {
    const path = join(folder, 'model.gguf');
    const file = await open(path, 'w');
    await file.write(new Uint8Array(await answer.arrayBuffer()));
    await file.truncate(record.bytes);
    await file.close();
    const header = readGgufHeader(path);
    checkServable(header);
    const { separateOutput, ...shape } = entry.shape;
    const actual = modelShape(header);
    const hasOutput = header.tensors.some(({ name }) => name === 'output.weight');
    return [
      ...(JSON.stringify(sorted(actual)) === JSON.stringify(sorted(shape))
        ? []
        : [`has the shape ${JSON.stringify(actual)}`]),
      ...(hasOutput === separateOutput ? [] : [`has ${hasOutput ? 'an' : 'no'} output of its own`]),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function sorted(shape: object): readonly (readonly [string, unknown])[] {
  return Object.entries(shape).toSorted(([a], [b]) => a.localeCompare(b));
}
