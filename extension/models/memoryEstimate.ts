import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { errors } from '../errors.ts';
import type { GgufHeader } from './ggufFile.ts';
import { modelShape, type ModelShape } from './modelShape.ts';

const F16_BYTES = 2;
const F32_BYTES = 4;
/** llama.cpp pads the window to a multiple of this. */
const WINDOW_PADDING_TOKENS = 256;
/** The largest part of a batch that goes through the model at once. */
const MICRO_BATCH_TOKENS = 512;
/** What the engine process takes beside the model: Node, the libraries, the text being read. */
const PROCESS_BYTES = 160 * 2 ** 20;

/** All in tokens. */
export interface MemorySettings {
  /** Rows of the KV cache. */
  readonly contextSize: number;
  readonly chunkTokens: number;
  readonly tokenBudget: number;
  readonly batchTokens: number;
  readonly questionTokens: number;
}

/** All in bytes. */
export interface MemoryEstimate {
  readonly weightBytes: number;
  readonly kvCacheBytes: number;
  /** The copy of the kept keys as they were first written. */
  readonly keptKeyBytes: number;
  readonly computeBytes: number;
  /** The four together. */
  readonly totalBytes: number;
}

/** What answering with these settings takes, from the file's header alone. Throws errors.modelCorrupt. */
export function estimateMemory(header: GgufHeader, settings: MemorySettings): MemoryEstimate {
  const shape = modelShape(header);
  const keyRowBytes = shape.layers * shape.kvHeads * shape.keyLength * F16_BYTES;
  const valueRowBytes = shape.layers * shape.kvHeads * shape.valueLength * F16_BYTES;
  const rows = Math.ceil(settings.contextSize / WINDOW_PADDING_TOKENS) * WINDOW_PADDING_TOKENS;

  const weightBytes = header.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const kvCacheBytes = rows * (keyRowBytes + valueRowBytes);
  const keptKeyBytes = settings.tokenBudget * keyRowBytes;
  const computeBytes = forwardBytes(shape, rows, settings) + compressionBytes(shape, settings);
  const totalBytes = weightBytes + kvCacheBytes + keptKeyBytes + computeBytes;
  return { weightBytes, kvCacheBytes, keptKeyBytes, computeBytes, totalBytes };
}

/**
 * Throws errors.notEnoughMemory when the estimate and the process around it do not fit `freeBytes`.
 * `where` names the memory: "this machine", "Vulkan0".
 */
export function checkMemory(estimate: MemoryEstimate, freeBytes: number, where: string): void {
  const neededBytes = estimate.totalBytes + PROCESS_BYTES;
  if (neededBytes > freeBytes) throw errors.notEnoughMemory(neededBytes, freeBytes, where);
}

/**
 * Bytes this process may still take without swapping or being ended: what the system has available, on Linux
 * bounded by the limits of the control groups it is in.
 */
export function freeMemoryBytes(platform: NodeJS.Platform = process.platform, rootFolder = '/'): number {
  if (platform === 'linux') return linuxFreeBytes(rootFolder);
  // On macOS the system's own count leaves out what it would give up at once, most of the memory.
  if (platform === 'darwin') return vmStatFreeBytes(execFileSync('vm_stat', { encoding: 'utf8' }));
  return freemem();
}

/** Free, inactive, speculative and purgeable pages of vm_stat's report, in bytes. */
export function vmStatFreeBytes(report: string): number {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(report)?.[1]);
  const pages = [...report.matchAll(/^Pages (?:free|inactive|speculative|purgeable):\s+(\d+)\.$/gm)];
  return pageBytes * pages.reduce((sum, match) => sum + Number(match[1]), 0);
}

/**
 * llama.cpp plans its compute buffer for a whole micro batch with logits for every token of it. Its allocator reuses
 * memory between layers, so one layer's activations count: the residual stream, its normed copy and the layer's
 * output, Q, K and V, and the two halves of the gated feed-forward part; beside them the attention mask (f32, and
 * f16 for flash attention). The logits of the batch's last token are kept apart.
 */
function forwardBytes(shape: ModelShape, rows: number, settings: MemorySettings): number {
  const tokens = Math.min(settings.batchTokens, MICRO_BATCH_TOKENS);
  const attention =
    shape.queryHeads * shape.keyLength + shape.kvHeads * (shape.keyLength + shape.valueLength);
  const activations = 3 * shape.embeddingLength + attention + 2 * shape.feedForwardLength;
  const perToken = F32_BYTES * (shape.vocabulary + activations) + (F32_BYTES + F16_BYTES) * rows;
  return tokens * perToken + F32_BYTES * shape.vocabulary;
}

/**
 * The graphs of the compression: the question's queries of all layers, then for one layer at a time its scores before
 * and after the softmax and the mask, and the kept rows while they are gathered (f32) and written back.
 */
function compressionBytes(shape: ModelShape, settings: MemorySettings): number {
  const { questionTokens, tokenBudget, chunkTokens } = settings;
  const scoredRows = tokenBudget + chunkTokens + questionTokens;
  const queries = shape.layers * questionTokens * shape.queryHeads * shape.keyLength;
  const scores = questionTokens * scoredRows * (2 * shape.queryHeads + 1);
  const gathered = tokenBudget * shape.kvHeads * (shape.keyLength + shape.valueLength);
  return F32_BYTES * (queries + scores + 2 * gathered);
}

function linuxFreeBytes(rootFolder: string): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText(join(rootFolder, 'proc/meminfo')) ?? '')?.[1];
  const available = kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
  return Math.max(0, Math.min(available, ...controlGroupFreeBytes(rootFolder)));
}

/** What is left below the limit of each control group from this process's own up to the root. */
function controlGroupFreeBytes(rootFolder: string): number[] {
  const groups = readText(join(rootFolder, 'proc/self/cgroup')) ?? '';
  const free: number[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, path] = line.split(':');
    if (controllers === undefined || path === undefined) continue;
    const isVersion2 = controllers === '';
    if (!isVersion2 && !controllers.split(',').includes('memory')) continue;
    const mount = join(rootFolder, 'sys/fs/cgroup', isVersion2 ? '' : 'memory');
    const names = isVersion2 ? version2Files : version1Files;
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--) {
      const left = groupFreeBytes(join(mount, ...parts.slice(0, depth)), names);
      if (left !== undefined) free.push(left);
    }
  }
  return free;
}

const version2Files = { limit: 'memory.max', used: 'memory.current', reclaimable: /^inactive_file (\d+)$/m };
const version1Files = {
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  reclaimable: /^total_inactive_file (\d+)$/m,
};

/** Undefined when there is no such group or no limit ("max"). */
function groupFreeBytes(folder: string, files: typeof version2Files): number | undefined {
  const limit = Number(readText(join(folder, files.limit)) ?? Number.NaN);
  const used = Number(readText(join(folder, files.used)) ?? Number.NaN);
  if (Number.isNaN(limit) || Number.isNaN(used)) return undefined;
  // Files that were only read count as used, and are given up as soon as memory is wanted.
  const reclaimable = Number(files.reclaimable.exec(readText(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0);
  return limit - used + reclaimable;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
