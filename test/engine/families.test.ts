import { compressSuite } from '../compressSuite.ts';
import { familySuite } from '../familySuite.ts';

familySuite({ device: 'cpu' }, [
  'qwen2.5-coder, YaRN',
  'mistral',
  'smollm2',
  'smollm3',
  'phi3, partial rotary, long context',
  'granite',
  'gemma3',
]);

// Layers 0, 1 and 3 have a window.
compressSuite({ device: 'cpu' }, 5e-3, 'gemma3', [
  { layer: 2, head: 0 },
  { layer: 2, head: 3 },
]);
