/** The extension host's memory stays flat over questions, of which each goes over all texts of the workspace. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { ferryFolderWith, timetables } from '../workspaces.ts';
import { usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const weeks = 200;
const texts = timetables(weeks);
const textBytes = Object.values(texts).reduce((sum, text) => sum + text.length, 0);
const warmUpQuestions = 3;
const questions = 8;
/** Far less than one copy of the texts. */
const mostGrowthBytes = 1.5e6;

const temporaryFolder = mkdtempSync(join(tmpdir(), 'ask-codebase-memory-'));
const tinyModel = join(temporaryFolder, 'tiny.gguf');
writeTinyModel(tinyModel, tinyOptions);
afterAll(() => rmSync(temporaryFolder, { recursive: true }));

const workbench = useWorkbench({
  workspace: ferryFolderWith(texts),
  otherExtensions: [resolve(import.meta.dirname, '../heapMeter')],
  machineSettings: {
    'askCodebase.model': tinyModel,
    'askCodebase.device': 'cpu',
    'askCodebase.reading': 'limit',
    'askCodebase.readingLimit': 1_000,
    'askCodebase.tokenBudget': 64,
    'askCodebase.maxAnswerTokens': 4,
  },
});
const { askAnew, ended } = usePanel(workbench);

beforeAll(() => workbench().openContainer('Ask Codebase'));

it(`keeps nothing of ${(textBytes / 1e6).toFixed(0)} MB of text`, async () => {
  await askAll(0, warmUpQuestions);
  const before = await heapBytes();
  await askAll(warmUpQuestions, questions);
  const after = await heapBytes();
  console.log(
    `Extension host: ${megabytes(before)} MB after ${warmUpQuestions} questions, ` +
      `${megabytes(after)} MB after ${questions} more, over ${megabytes(textBytes)} MB of text`,
  );
  expect(after - before).toBeLessThan(mostGrowthBytes);
});

async function askAll(first: number, count: number): Promise<void> {
  for (let at = first; at < first + count; at++) {
    await askAnew(`Where is the ship that leaves at minute ${at * 31}?`);
    expect((await ended()).exchange.state).toBe('answered');
  }
}

let measurements = 0;

async function heapBytes(): Promise<number> {
  measurements++;
  await workbench().runCommand('Measure Heap');
  const text = await workbench()
    .statusBarItem(new RegExp(`heap ${measurements} \\d+`))
    .innerText();
  return Number(/heap \d+ (\d+)/.exec(text)?.[1]);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
