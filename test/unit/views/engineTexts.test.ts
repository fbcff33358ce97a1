/** What the window says, with the Japanese texts that VS Code would take. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { cudaErrors } from '../../../extension/cuda/cudaErrors.ts';
import { errors, fillTemplate } from '../../../extension/errors.ts';
import { deviceProblems, thisMachine, type EngineNotice } from '../../../extension/protocol/engine.ts';
import { skipReasonText } from '../../../extension/protocol/nouns.ts';
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
const english = /\b(?:the|its|is|this machine|came|file|No memory|needs)\b/;

const full = errors.memoryRanOut(2_048);
const lacks = errors.notEnoughMemory(2e9, 1e9, thisMachine);
test.each<EngineNotice>([
  ...Object.values(deviceProblems).map((why) => ({ kind: 'deviceLeftOut', device: 'Vulkan0', why }) as const),
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
