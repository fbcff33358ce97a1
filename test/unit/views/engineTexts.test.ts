/** What the window says, with the Japanese texts that VS Code would take. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { cudaErrors } from '../../../extension/cuda/cudaErrors.ts';
import { errors } from '../../../extension/errors.ts';
import {
  architectureTexts,
  corruptTexts,
  layerTexts,
  notServedTexts,
  problem,
} from '../../../extension/models/modelProblems.ts';
import { downloadProblem, downloadTexts } from '../../../extension/models/downloadProblems.ts';
import { deviceProblems, thisMachine, type EngineNotice } from '../../../extension/protocol/engine.ts';
import { absentText, skipReasonText } from '../../../extension/protocol/nouns.ts';
import { fillTemplate } from '../../../extension/protocol/sentence.ts';
import { describeFailure } from '../../../extension/views/describeFailure.ts';
import { noticeText } from '../../../extension/views/engineTexts.ts';

const bundle = new Map(
  Object.entries(
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../l10n/bundle.l10n.ja.json'), 'utf8'),
    ) as Record<string, string>,
  ),
);
vi.mock('vscode', () => ({
  l10n: {
    t: (text: string, ...args: (string | number)[]) => fillTemplate(bundle.get(text) ?? text, args),
  },
}));
/** Words of ours; names of devices and paths stay. */
const english = /\b(?:the|its?|is|has|of|and|this machine|came|file|No memory|needs)\b/;

const full = errors.memoryRanOut(2_048);
const lacks = errors.notEnoughMemory(2e9, 1e9, thisMachine);
test.each<EngineNotice>([
  ...Object.values(deviceProblems).map((why) => ({ kind: 'deviceLeftOut', device: 'Vulkan0', why }) as const),
  { kind: 'cudaLeftOut', instead: 'Vulkan0', why: cudaErrors.noToolkit(['a.so.13'], ['a.so.12']) },
  { kind: 'shorterChunks', chunkTokens: 128, why: { template: full.template, args: full.args } },
  { kind: 'shorterChunks', chunkTokens: 128, why: { template: lacks.template, args: lacks.args } },
  {
    kind: 'steppedDown',
    ...{
      neededBytes: 2e9,
      freeBytes: 1e9,
      where: thisMachine,
      chunkTokens: 128,
      offloadedLayers: 0,
      layers: 30,
    },
  },
])('the notice %o is in one language', (notice) => {
  expect(noticeText(notice)).not.toMatch(english);
});

test('what a driver says stays as it is', () => {
  expect(noticeText({ kind: 'deviceLeftOut', device: 'Vulkan0', why: 'ErrorDeviceLost' })).toContain(
    'ErrorDeviceLost',
  );
});

test.each([
  lacks,
  errors.deviceFailed('Vulkan0', deviceProblems.rotation),
  errors.pinNotRead('src/a.ts', skipReasonText.binary),
  errors.pinNotRead('src/a.ts', absentText),
  errors.engineGaveUp(3, 3, 20),
  ...Object.values(architectureTexts).map((why) =>
    errors.modelNotServed(
      'm.gguf',
      problem(notServedTexts.architectureByKey, 'mamba', why, 'ssm.state_size'),
    ),
  ),
  ...Object.values(layerTexts).map((why) =>
    errors.modelNotServed('m.gguf', problem(notServedTexts.layer, 7, why)),
  ),
  ...Object.values(corruptTexts).map((template) =>
    errors.modelCorrupt('m.gguf', problem(template, 1, 2, 'tokens')),
  ),
  errors.modelNotDownloaded(
    'Tiny',
    [errors.modelCorrupt('m.gguf', problem(corruptTexts.gzip))],
    'url',
    'path',
  ),
  ...Object.values(downloadTexts).map((template) =>
    errors.downloadFailed('Tiny', ['ECONNRESET', downloadProblem(template, 1, 2, 3)]),
  ),
  cudaErrors.notRemoved('/cuda', 'EBUSY'),
  cudaErrors.notWritten('/cuda', 'EROFS'),
  cudaErrors.noDriver('libcuda.so.1'),
  cudaErrors.noToolkit(['libcudart.so.13'], ['libcudart.so.12']),
])('so is the failure "%s", with its remedy', (error) => {
  const { message, remedy } = describeFailure(error);
  expect(message).not.toMatch(english);
  expect(remedy).not.toMatch(english);
});

test('CUDA that is missing can be got with a button', () => {
  const { actions } = describeFailure(cudaErrors.notInstalled('@node-llama-cpp/linux-x64-cuda'));
  expect(actions.map(({ action }) => action)).toEqual(['getCuda', 'openSettings', 'askAgain']);
});
