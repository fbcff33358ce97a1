import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isBinaryFile } from 'isbinaryfile';
import type { SkippedFile, SkipReason, SourceDocument } from '../protocol/nouns.ts';
import { decodeText } from './decodeText.ts';
import { throwIfAborted, tooLarge, type FoundFile } from './findFiles.ts';
import { generatedDetail } from './generated.ts';
import { binaryProbeBytes, maxFileBytes, readConcurrency } from './limits.ts';
import { isSecretText } from './secrets.ts';
import { systemMessage } from './systemMessage.ts';

/** Text of a file that is open in an editor and not saved; undefined when what counts is the file. */
export type UnsavedText = (absolutePath: string) => string | undefined;

/**
 * Reads one file as it is now, or says why it is left out: it may have changed since it was found, and some reasons
 * show in the text alone. Unsaved text comes before the file, under the same rules. Never throws.
 */
export async function readSourceDocument(
  file: FoundFile,
  unsaved?: UnsavedText,
): Promise<SourceDocument | SkippedFile> {
  const skip = (reason: SkipReason, detail?: string): SkippedFile => ({
    workspace: file.workspace,
    path: file.path,
    reason,
    ...(detail === undefined ? {} : { detail }),
  });
  const edited = unsaved?.(file.absolutePath);
  const bytes =
    edited === undefined
      ? await readBytes(file.absolutePath).catch((error: unknown) => systemMessage(error))
      : bytesOf(edited);
  if (typeof bytes === 'string') return skip('unreadable', bytes);
  if ('reason' in bytes) return skip(bytes.reason, bytes.detail);

  const text = decodeText(bytes);
  // No text has NUL characters, and many binary formats begin with a readable header.
  if (text.includes('\0')) return skip('binary');
  if (text.trim() === '') return skip('empty');
  if (file.askedFor !== true) {
    if (isSecretText(text)) return skip('secret');
    const generated = generatedDetail(text);
    if (generated !== undefined) return skip('generated', generated);
  }
  return { workspace: file.workspace, path: file.path, text };
}

export function isSkipped(result: SourceDocument | SkippedFile): result is SkippedFile {
  return 'reason' in result;
}

/**
 * Reads the files in their order, a few ahead of the one that is handed out.
 * @param unsaved asked for each file when its turn to be read comes
 *
 * @throws AskError cancelled when the signal aborts
 */
export async function* readSourceDocuments(
  files: readonly FoundFile[],
  { signal, unsaved }: { readonly signal: AbortSignal; readonly unsaved?: UnsavedText },
): AsyncGenerator<SourceDocument | SkippedFile, void, undefined> {
  const ahead: Promise<SourceDocument | SkippedFile>[] = [];
  for (let next = 0; next < files.length || ahead.length > 0;) {
    throwIfAborted(signal);
    while (ahead.length < readConcurrency && next < files.length) {
      ahead.push(readSourceDocument(files[next]!, unsaved));
      next++;
    }
    const result = await ahead.shift()!;
    throwIfAborted(signal);
    yield result;
  }
}

/** What saving an editor's text would write, or why that is too much. */
function bytesOf(text: string): Buffer | { reason: SkipReason; detail?: string } {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > maxFileBytes ? tooLarge(bytes.length) : bytes;
}

/** The bytes of a text file, or why it has none to give. */
async function readBytes(absolutePath: string): Promise<Buffer | { reason: SkipReason; detail?: string }> {
  // Opened so that a link put in its place is refused, and a pipe put in its place does not wait for a writer.
  const handle = await open(absolutePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) return { reason: 'notAFile' };
    if (info.size > maxFileBytes) return tooLarge(info.size);
    const probe = await readFrom(handle, 0, Math.min(info.size, binaryProbeBytes));
    if (!isUtf8(wholeCharacters(probe)) && (await isBinaryFile(probe))) return { reason: 'binary' };
    if (probe.length === info.size) return probe;
    return Buffer.concat([probe, await readFrom(handle, probe.length, info.size - probe.length)]);
  } finally {
    await handle.close();
  }
}

/** Without the up to three bytes at the end that may be the beginning of a character. */
function wholeCharacters(probe: Buffer): Buffer {
  const lastStart = probe.subarray(-3).findLastIndex((byte) => byte >= 0xc0);
  return lastStart < 0 ? probe : probe.subarray(0, Math.max(probe.length - 3, 0) + lastStart);
}

/** Up to `length` bytes; fewer when the file became shorter meanwhile. */
async function readFrom(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
