import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorReason } from '../../../extension/errors.ts';
import { download } from '../../../extension/models/download.ts';
import { caught } from './caught.ts';
import { sha256Of, startFaultyServer, type Answer } from './faultyServer.ts';

export interface Attempt {
  readonly answers: readonly [Answer, ...Answer[]];
  /** Where "file" is to be. */
  readonly folder: string;
  /** What is to arrive. */
  readonly expected: Buffer;
  readonly signal?: AbortSignal;
  readonly idleMilliseconds?: number;
}

export interface Outcome {
  /** "whole" when the file is there with the expected content. */
  readonly result: 'whole' | ErrorReason;
  readonly message: string;
  readonly ranges: readonly string[];
  /** Milliseconds waited before each new try; nobody really waits. */
  readonly waits: readonly number[];
  readonly files: readonly string[];
}

/** Downloads a file from a server that gives these answers; nobody really waits between the tries. */
export async function attempt(given: Attempt): Promise<Outcome> {
  const expected = given.expected;
  const server = await startFaultyServer(...given.answers);
  const waits: number[] = [];
  const request = {
    url: server.url,
    path: join(given.folder, 'file'),
    bytes: expected.length,
    sha256: sha256Of(expected),
    signal: given.signal ?? new AbortController().signal,
  };
  const timing = {
    idleMilliseconds: given.idleMilliseconds ?? 20_000,
    wait: (milliseconds: number) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  };
  const failure = await caught(() => download(request, timing));
  await server.close();
  const files = (await readdir(given.folder).catch(() => [])).sort();
  if (failure === undefined) {
    expect(sha256Of(await readFile(request.path))).toBe(request.sha256);
    expect(files).toEqual(['file']);
  }
  return {
    result: failure?.reason ?? 'whole',
    message: failure?.message ?? '',
    ranges: server.ranges,
    waits,
    files,
  };
}
