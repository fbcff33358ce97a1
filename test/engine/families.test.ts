import { familySuite } from '../familySuite.ts';

familySuite({ device: 'cpu' }, [
  'qwen2.5-coder, YaRN',
  'mistral',
  'smollm2',
  'smollm3',
  'phi3, partial rotary, long context',
  'granite',
]);
