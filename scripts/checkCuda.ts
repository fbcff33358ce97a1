/**
 * `npm run check-cuda`: compares the checksums of CUDA's packages with what the registry says of them, asked by npm.
 * package-lock.json does not hold them, since there an empty package stands in for each. Exits with 1 where one differs.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { allCudaPackages, packageSpec } from '../extension/cuda/cudaPackages.ts';

const shell = process.platform === 'win32';
for (const one of allCudaPackages) {
  const args = ['view', packageSpec(one), 'dist.integrity'];
  const integrity = (await promisify(execFile)('npm', args, { shell })).stdout.trim();
  const isSame = integrity === one.integrity;
  console.log(`${packageSpec(one)}: ${isSame ? 'the same' : `${integrity}, and not ${one.integrity}`}`);
  if (!isSame) process.exitCode = 1;
}
