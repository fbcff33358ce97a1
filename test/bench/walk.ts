/** How long finding, reading and ranking take for a workspace of 20,000 source files that no cache holds yet. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planReading } from '../../extension/retrieval/readingPlan.ts';
import { startRanking } from '../../extension/retrieval/ranking.ts';
import { findFiles, type FoundFile, type WorkspaceFolder } from '../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { gaussians } from '../reference/random.ts';

const defaultFiles = 20_000;
const filesPerFolder = 16;
/** Sizes of source files are log-normal: half are below the median, and their mean is 2.5 kB. */
const medianFileBytes = 1_400;
const sizeSpread = 1.08;
const largestFileBytes = 200_000;
const wantedSeconds = 15;
const readingLimit = 8_000; // tokens
const tokensPerCharacter = 0.3;
const question = 'How does the compression decide which tokens to keep?';

export const usage = `npm run bench -- walk [options]
  --files N   files of the tree that is made and removed again; ${defaultFiles} by default`;

/** Prints the seconds of each stage. */
export async function walkBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      files: { type: 'string', default: String(defaultFiles) },
    },
  });
  const rootPath = mkdtempSync(join(tmpdir(), 'ask-codebase-walk-'));
  try {
    const bytes = await makeTree(rootPath, Number(values.files));
    console.log(`${values.files} files, ${(bytes / 1e6).toFixed(1)} MB`);
    console.log(forgetFiles());
    const seconds = await walkAndRank({ name: 'walk', rootPath });
    const all = Object.values(seconds).reduce((sum, part) => sum + part, 0);
    for (const [stage, part] of Object.entries({ ...seconds, 'all together': all })) {
      console.log(`${stage.padEnd(24)}${part.toFixed(2).padStart(7)} s`);
    }
    console.log(`wanted: under ${wantedSeconds} s; ${all < wantedSeconds ? 'kept' : 'MISSED'}`);
    console.log(`largest resident set: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
  } finally {
    rmSync(rootPath, { recursive: true });
  }
}

async function walkAndRank(folder: WorkspaceFolder): Promise<Record<string, number>> {
  const find = await timed(() => findFiles([folder], { signal: neverAborted }));
  const { files } = find.result;
  const ranking = startRanking(question);
  let rankingSeconds = 0;
  const read = await timed(async () => {
    let documents = 0;
    for await (const document of readSourceDocuments(files, { signal: neverAborted })) {
      if (isSkipped(document)) continue;
      documents++;
      rankingSeconds += (await timed(() => ranking.add(document))).seconds;
    }
    return documents;
  });
  const rank = await timed(() => ranking.rank());
  const plan = await timed(() => planReading(rank.result, { readingLimit, tokensPerCharacter }));
  console.log(
    `${files.length} found, ${read.result} ranked as ${rank.result.length} passages, ${plan.result.ranges.length} planned`,
  );
  return {
    finding: find.seconds,
    'reading from the disk': read.seconds - rankingSeconds,
    'taking terms': rankingSeconds,
    ranking: rank.seconds,
    planning: plan.seconds,
  };
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number }> {
  const begin = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - begin) / 1000 };
}

/** Files made of runs of this checkout's own lines, with some names changed so that words are as varied as in a real tree. */
async function makeTree(rootPath: string, count: number): Promise<number> {
  const lines = await ownLines();
  const sizes = gaussians(count, 1, 'sizes');
  const starts = gaussians(count, 2, 'starts');
  writeFileSync(join(rootPath, '.gitignore'), '*.log\n/build/\n.cache/\n');
  let written = 0;
  for (let index = 0; index < count; index++) {
    const folder = Math.floor(index / filesPerFolder);
    const path = join(rootPath, `part ${folder % 12}`, `package-${folder % 180}`, `src/group${folder}`);
    if (index % filesPerFolder === 0) {
      mkdirSync(path, { recursive: true });
      if (folder % 20 === 0) writeFileSync(join(path, '.gitignore'), 'generated/\n!keep.me\n');
    }
    const wanted = Math.min(largestFileBytes, medianFileBytes * Math.exp(sizeSpread * sizes[index]!));
    const first = Math.floor(Math.abs(starts[index]! % 1) * lines.length);
    let text = `// Part ${index}: names of ${folder}.\n`;
    for (let line = first; text.length < wanted; line++) {
      text += `${lines[line % lines.length]!.replace(/\b(\w+)s\b/, `$1${index % 5000}s`)}\n`;
    }
    writeFileSync(join(path, `fileNumber${index}.${extensions[index % extensions.length]!}`), text);
    written += text.length;
  }
  return written;
}

const extensions = ['ts', 'py', 'go', 'rs', 'java', 'md'];

async function ownLines(): Promise<string[]> {
  const rootPath = fileURLToPath(new URL('../extension', import.meta.url));
  const { files } = await findFiles([{ name: 'extension', rootPath }], { signal: neverAborted });
  return files.flatMap(({ absolutePath }: FoundFile) => readFileSync(absolutePath, 'utf8').split('\n'));
}

/** Empties the system's file cache, where that is allowed. @returns what was done, as a sentence */
function forgetFiles(): string {
  try {
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return 'Cold: the file cache was emptied.';
  } catch (error) {
    return `Warm: the file cache could not be emptied (${error instanceof Error ? error.message : String(error)}).`;
  }
}

const neverAborted = new AbortController().signal;
