/** What a link gives to the command that explains: anyone may call it, so it is checked. */
import * as vscode from 'vscode';
import { z } from 'zod';
import type { NamedPlace } from './symbolPlaces.ts';

export interface SymbolArguments {
  readonly uri: string;
  /** 0-based, like `character`. */
  readonly line: number;
  readonly character: number;
}

export function symbolArguments({ uri, position }: Pick<NamedPlace, 'uri' | 'position'>): SymbolArguments {
  return { uri: uri.toString(), line: position.line, character: position.character };
}

/** The document and the position within it; undefined when they are not such arguments, or no file. */
export function parseSymbolArguments(
  value: unknown,
): { readonly uri: vscode.Uri; readonly position: vscode.Position } | undefined {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const uri = vscode.Uri.parse(parsed.data.uri);
  if (uri.scheme !== 'file') return undefined;
  return { uri, position: new vscode.Position(parsed.data.line, parsed.data.character) };
}

const index = z.int().nonnegative().max(10_000_000);
const schema = z.object({
  uri: z.string().max(10_000),
  line: index,
  character: index,
}) satisfies z.ZodType<SymbolArguments>;
