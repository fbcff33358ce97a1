/** Which model the panel offers where none is on this machine: the set one, or what suits the machine. */
import * as vscode from 'vscode';
import { settings as known, settingsSection } from '../contributions.ts';
import { readSettings } from '../editor/settings.ts';
import { defaultModelName, findEntry } from '../models/catalogue.ts';
import { catalogue } from '../models/catalogueEntries.ts';
import { aboutBytes } from '../models/expectedTensors.ts';
import { lookUpModel, type ResolveOptions } from '../models/findModel.ts';
import type { MachineFacts } from '../models/machine.ts';
import { recommend } from '../models/recommend.ts';
import type { MissingModel } from '../protocol/chat.ts';
import { reasonText } from './modelTexts.ts';

/** Null: it is on this machine, or can be found nowhere, which the answer then says. Throws what the hub answers. */
export async function missingModel(
  options: Omit<ResolveOptions, 'mayDownload'>,
  machine: () => Promise<MachineFacts>,
): Promise<MissingModel | null> {
  const { model } = readSettings().settings;
  const { here, entry, hub, name, bytes, haveBytes } = await lookUpModel(model, options);
  if (here || (entry === null && hub === null)) return null;
  const asSet = { name, bytes, haveBytes, ...(entry === null ? { about: true as const } : {}) };
  // What was chosen, or begun, is not argued with.
  if (model !== undefined || haveBytes > 0) return asSet;
  const { first } = recommend(await machine(), catalogue);
  const reason = reasonText(first);
  if (first.entry.name === name) return { ...asSet, reason };
  const recommended = { name: first.entry.name, bytes: aboutBytes(first.entry), haveBytes: 0, reason };
  return { ...recommended, about: true, others: [asSet] };
}

/** Sets a model of the catalogue that was offered and is wanted, unless it is set already. @returns what is set then */
export async function takeOffer(name: string | undefined): Promise<string | undefined> {
  const { model } = readSettings().settings;
  const entry = name === undefined ? undefined : findEntry(name);
  if (entry === undefined || entry === findEntry(model ?? defaultModelName)) return model;
  await vscode.workspace
    .getConfiguration(settingsSection)
    .update(known.model.key, entry.name, vscode.ConfigurationTarget.Global);
  return entry.name;
}
