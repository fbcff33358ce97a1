/** What a link gives to the command that explains: anyone may call it, so it is checked. */
import * as vscode from 'vscode';
import { z } from 'zod';
import { uriOfPlace } from '../editor/places.ts';
import { placeOfUri } from '../editor/workspaceFolders.ts';
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

/** The file and the position within it; undefined when they are not such arguments, or no file of the workspace. */
export async function parseSymbolArguments(
  value: unknown,
): Promise<{ readonly uri: vscode.Uri; readonly position: vscode.Position } | undefined> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { uri: text, line, character } = parsed.data;
  const place = placeOfUri(vscode.Uri.parse(text));
  const uri = place === undefined ? undefined : await uriOfPlace(place);
  return uri === undefined ? undefined : { uri, position: new vscode.Position(line, character) };
}

const index = z.int().nonnegative().max(10_000_000);
const schema = z.object({
  uri: z.string().max(10_000),
  line: index,
  character: index,
}) satisfies z.ZodType<SymbolArguments>;
