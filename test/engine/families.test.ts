import { expect, test } from 'vitest';
import { LlamaContext } from '../../extension/engine/llama/llamaContext.ts';
import { compressSuite } from '../compressSuite.ts';
import { familySuite } from '../familySuite.ts';
import { openTinyEngine, tinyModels } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const folder = temporaryFolder();

familySuite({ device: 'cpu' });

test('layers whose masks are not those of their windows are refused', () => {
  const { engine } = openTinyEngine(folder, { device: 'cpu' }, tinyModels.gemma3);
  try {
    expect(engine.model.windows).toEqual([40, 40, null, 40]);
    const wrong = [
      [null, null, null, null],
      [40, 40, 40, 40],
      [40, null, null, 40],
    ];
    for (const windows of wrong) {
      Object.defineProperty(engine.model, 'windows', { value: windows, configurable: true });
      const context = new LlamaContext(engine.model, { contextSize: 256 });
      expect(() => context.layouts()).toThrow(/sees other tokens than its window says/);
      context.dispose();
    }
  } finally {
    engine.dispose();
  }
});

// Layers 0, 1 and 3 have a window.
compressSuite({ device: 'cpu' }, 5e-3, 'gemma3', [
  { layer: 2, head: 0 },
  { layer: 2, head: 3 },
]);
