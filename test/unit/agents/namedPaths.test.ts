import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pinOfPath } from '../../../extension/agents/namedPaths.ts';

const root = mkdtempSync(join(tmpdir(), 'ask-codebase-paths-'));
afterAll(() => rmSync(root, { recursive: true }));
for (const folder of ['ferry/src', 'light', 'outside']) mkdirSync(join(root, folder), { recursive: true });
for (const file of ['ferry/src/a.ts', 'light/b.go', 'outside/key']) writeFileSync(join(root, file), 'x\n');
symlinkSync(join(root, 'outside'), join(root, 'ferry/link'));
const folders = ['ferry', 'light'].map((name) => ({ name, rootPath: join(root, name) }));

const ferry = { workspace: 'ferry', path: 'src/a.ts' };
test.each([
  ['src/a.ts', { kind: 'file', ...ferry }],
  ['./src/a.ts', { kind: 'file', ...ferry }],
  ['ferry/src/a.ts', { kind: 'file', ...ferry }],
  [join(root, 'ferry/src/a.ts'), { kind: 'file', ...ferry }],
  ['src/a.ts:3', { kind: 'lines', ...ferry, startLine: 3, endLine: 3 }],
  ['src/a.ts:3-7', { kind: 'lines', ...ferry, startLine: 3, endLine: 7 }],
  ['src/a.ts:7-3', { kind: 'lines', ...ferry, startLine: 7, endLine: 7 }],
  ['src/a.ts:0', { kind: 'lines', ...ferry, startLine: 1, endLine: 1 }],
  ['src', { kind: 'folder', workspace: 'ferry', path: 'src' }],
  ['b.go', { kind: 'file', workspace: 'light', path: 'b.go' }],
  ['light', { kind: 'folder', workspace: 'light', path: '' }],
])('%s', async (text, expected) => {
  expect(await pinOfPath(text, folders)).toEqual(expected);
});

test.each([
  'none.ts',
  '../outside/key',
  'src/../../outside/key',
  'link/key',
  'link',
  join(root, 'outside/key'),
  '/',
  'src/a.ts\0',
])('%j is refused', async (text) => {
  await expect(pinOfPath(text, folders)).rejects.toMatchObject({ reason: 'badArgument' });
});
