/** The packages that bring CUDA, as published for the platforms that have one. `npm run check-cuda` compares them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Of node-llama-cpp, whose other libraries come with the extension: all have to be of one release of llama.cpp. */
export const cudaVersion = '3.21.1';

export interface CudaPackage {
  readonly name: string;
  readonly version: string;
  /** Of the tarball. */
  readonly bytes: number;
  /** `sha512-` and base64, of the tarball. */
  readonly integrity: string;
  /** What its libraries take of the disk. */
  readonly unpackedBytes: number;
}

/**
 * The first has everything, for CUDA 13; the second has the one library that is another for CUDA 12. Neither has
 * NVIDIA's own files: its driver and the toolkit's runtime and cuBLAS.
 */
const published: Readonly<Record<string, readonly Omit<CudaPackage, 'version'>[]>> = {
  'linux-x64': [
    {
      name: '@node-llama-cpp/linux-x64-cuda',
      bytes: 142_850_036,
      integrity:
        'sha512-idsE55VoD/FbvLhnBC9krUJaUoC0XnebseAAnCpm/brKf61HEbu+idgbb5eN6mxkjLSrHtILprJ0nDcUJjVrFg==',
      unpackedBytes: 188_691_242,
    },
    {
      name: '@node-llama-cpp/linux-x64-cuda-ext',
      bytes: 176_679_086,
      integrity:
        'sha512-1PuURowccBcks3CCoMe1mTHh5vD0V5bFHMUEgtbI/OSDjpP+Pdbn+lf42CGUrepTzR8kCH1HovQ7d8q6/vuIKA==',
      unpackedBytes: 374_195_208,
    },
  ],
  'win32-x64': [
    {
      name: '@node-llama-cpp/win-x64-cuda',
      bytes: 138_542_727,
      integrity:
        'sha512-PLz70neFEMkQTlmJqG1ujUtCSgHasLPMxQ9rLkqQVmZYAXqkRj+45TIHCjdn3XqUeaoun0vrO9rRaxZ8NVq9jg==',
      unpackedBytes: 175_507_772,
    },
    {
      name: '@node-llama-cpp/win-x64-cuda-ext',
      bytes: 175_417_684,
      integrity:
        'sha512-L2MxLVEYPDDe4O8EDWPmX6brldc9+Vt9hNoT/anj3pSnmrjkQcmaoKhHs6oP5qhEhb5Uog0rj6lgzNGtJO3p9Q==',
      unpackedBytes: 367_827_968,
    },
  ],
};

/** Of all platforms. */
export const allCudaPackages: readonly CudaPackage[] = Object.values(published)
  .flat()
  .map((one) => ({ ...one, version: cudaVersion }));

/** Undefined where there is none, as on a Mac. */
export function cudaPackages(
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): readonly CudaPackage[] | undefined {
  const names = published[`${platform}-${arch}`]?.map(({ name }) => name);
  return names && allCudaPackages.filter(({ name }) => names.includes(name));
}

/** "@node-llama-cpp/linux-x64-cuda@3.21.1" */
export function packageSpec({ name, version }: CudaPackage): string {
  return `${name}@${version}`;
}

/** One of them is there where NVIDIA's driver is: Linux, Linux inside Windows, Windows. */
const driverFiles = [
  '/proc/driver/nvidia/version',
  '/usr/lib/wsl/lib/libcuda.so.1',
  join(process.env['SystemRoot'] ?? '/', 'System32', 'nvcuda.dll'),
];

export function hasNvidiaDriver(): boolean {
  return driverFiles.some((file) => existsSync(file));
}
