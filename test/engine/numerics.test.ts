import { numericsSuite } from '../numericsSuite.ts';

const all = ['llama', 'llama, frequency factors', 'llama, YaRN', 'qwen2', 'qwen3'] as const;
numericsSuite({ device: 'cpu' }, [false, false, false], all);
