/** "Choose Model": what suits the machine, the catalogue, what is on the disk, any other file, and Hugging Face. */
import * as vscode from 'vscode';
import { commands, settings, settingsSection } from '../contributions.ts';
import { readSettings } from '../editor/settings.ts';
import { isAskError } from '../errors.ts';
import { bytesText } from '../models/amounts.ts';
import { aboutBytes } from '../models/expectedTensors.ts';
import { findEntry } from '../models/catalogue.ts';
import { localModel } from '../models/findModel.ts';
import { parseHubReference } from '../models/huggingFace.ts';
import { judgeModelFile } from '../models/judgeModel.ts';
import { modelFolder } from '../models/modelFolder.ts';
import { listModels, type ListedEntry, type ListedFile, type ModelList } from '../models/modelList.ts';
import { describeFailure } from './describeFailure.ts';
import { pickHubFile, type HubPickParts } from './hubFiles.ts';
import {
  choiceText,
  goodForText,
  languagesText,
  memoryText,
  recommendationText,
  sizeText,
} from './modelTexts.ts';

interface ModelItem extends vscode.QuickPickItem {
  /** What the setting becomes; undefined when the user leaves it, or the model cannot be served. */
  readonly choose: () => Promise<string | undefined>;
}

/** That long the status bar says which model was chosen. */
const chosenMs = 8_000;

/**
 * Sets the model for this machine. One that is not here is offered for download, unless `isAwaited` says that a
 * question waits in the panel, which offers it by itself.
 */
export async function chooseModel(isAwaited: () => boolean, parts: HubPickParts): Promise<void> {
  const value = await pickModel(parts);
  if (value === undefined) return;
  const awaited = isAwaited();
  await vscode.workspace
    .getConfiguration(settingsSection)
    .update(settings.model.key, value, vscode.ConfigurationTarget.Global);
  const { here, name } = await localModel(value, readSettings().settings.modelFolder);
  if (here) {
    const message = vscode.l10n.t('From the next question on, {0} answers.', name);
    vscode.window.setStatusBarMessage(message, chosenMs);
  }
  if (here || awaited) return;
  const entry = findEntry(value);
  const message =
    entry === undefined
      ? vscode.l10n.t('{0} has to be downloaded.', name)
      : vscode.l10n.t('{0} has to be downloaded ({1}).', name, bytesText(aboutBytes(entry)));
  const get = vscode.l10n.t('Get the Model');
  if ((await vscode.window.showInformationMessage(message, get)) === get) {
    await vscode.commands.executeCommand(commands.getModel);
  }
}

/** The pick is there at once, and is filled when the machine and the disk have been looked at. */
async function pickModel(parts: HubPickParts): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick<ModelItem | vscode.QuickPickItem>();
  pick.title = vscode.l10n.t('Choose Model');
  pick.placeholder = vscode.l10n.t('Models that suit this machine come first');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = otherItems(parts);
  pick.busy = true;
  const { model, modelFolder: folder = modelFolder() } = readSettings().settings;
  const filled = parts
    .machine()
    .then((machine) => listModels(folder, machine))
    .then((list) => {
      pick.items = itemsOf(list, model, otherItems(parts));
      const first = pick.items.find(({ label }) => label.endsWith(list.recommendations.first.entry.name));
      if (first !== undefined && pick.value === '') pick.activeItems = [first];
    })
    .finally(() => (pick.busy = false));
  try {
    const chosen = await new Promise<ModelItem | undefined>((resolve, reject) => {
      filled.catch(reject);
      pick.onDidAccept(() => {
        // What was clicked, which need not be what the filled list has made active meanwhile.
        const [item] = pick.selectedItems;
        if (item !== undefined && 'choose' in item) resolve(item);
      });
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
    pick.hide();
    return await chosen?.choose();
  } finally {
    pick.dispose();
  }
}

function itemsOf(
  list: ModelList,
  current: string | undefined,
  otherItems: readonly (ModelItem | vscode.QuickPickItem)[],
): readonly (ModelItem | vscode.QuickPickItem)[] {
  const { choices, first } = list.recommendations;
  const suits = new Map(choices.map((one) => [one.entry, one]));
  const entryItem = (listed: ListedEntry): ModelItem => catalogueItem(listed, current);
  const recommended = list.catalogue.flatMap((listed) => {
    const recommendation = suits.get(listed.entry);
    if (recommendation === undefined) return [];
    const item = entryItem(listed);
    const choice = choiceText(recommendation.choice);
    return [
      {
        ...item,
        label: recommendation === first ? `$(star-full) ${item.label}` : item.label,
        description: `${choice} · ${item.description}`,
        detail: recommendationText(recommendation),
      },
    ];
  });
  const others = list.catalogue.filter(({ entry }) => !suits.has(entry)).map(entryItem);
  return [
    separator(vscode.l10n.t('For this machine')),
    ...recommended,
    ...(list.files.length === 0 ? [] : [separator(vscode.l10n.t('Other files on this machine'))]),
    ...list.files.map((file) => fileItem(file, current)),
    separator(vscode.l10n.t('All of the catalogue')),
    ...others,
    ...otherItems,
  ];
}

function catalogueItem(
  { entry, here, bytes, ...memory }: ListedEntry,
  current: string | undefined,
): ModelItem {
  const { name, license, languages, goodFor, verification } = entry;
  const where = here ? vscode.l10n.t('on this machine') : vscode.l10n.t('has to be downloaded');
  const size = sizeText(bytes, verification.kind === 'sha256');
  const isCurrent = current?.toLowerCase() === name.toLowerCase();
  return {
    label: name,
    description: [size, license, where].join(' · '),
    detail: [memoryText(memory), goodForText(goodFor), languagesText(languages)].join(' · '),
    iconPath: new vscode.ThemeIcon(isCurrent ? 'check' : here ? 'vm' : 'cloud-download'),
    choose: () => Promise.resolve(name),
  };
}

function fileItem(
  { tool, name, path, bytes, judgement }: ListedFile,
  current: string | undefined,
): ModelItem {
  const from = tool === null ? [] : [vscode.l10n.t('of {0}', tool)];
  const description = [bytesText(bytes), ...from, path].join(' · ');
  if ('refused' in judgement) {
    const { refused } = judgement;
    return {
      ...{ label: name, description, detail: describeFailure(refused).message },
      iconPath: new vscode.ThemeIcon('circle-slash'),
      choose: () => refuse(refused),
    };
  }
  return {
    ...{ label: name, description, detail: memoryText(judgement) },
    iconPath: new vscode.ThemeIcon(current === path ? 'check' : 'vm'),
    choose: () => Promise.resolve(path),
  };
}

const otherItems = (parts: HubPickParts): readonly (ModelItem | vscode.QuickPickItem)[] => [
  separator(''),
  {
    label: vscode.l10n.t('Choose a GGUF file…'),
    iconPath: new vscode.ThemeIcon('folder-opened'),
    alwaysShow: true,
    choose: chooseFile,
  },
  {
    label: vscode.l10n.t('Enter a model of Hugging Face…'),
    iconPath: new vscode.ThemeIcon('link-external'),
    alwaysShow: true,
    choose: () => enterReference(parts),
  },
];

function separator(label: string): vscode.QuickPickItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

async function chooseFile(): Promise<string | undefined> {
  const files = await vscode.window.showOpenDialog({ filters: { GGUF: ['gguf'] }, canSelectMany: false });
  const path = files?.[0]?.fsPath;
  if (path === undefined) return undefined;
  const judged = judgeModelFile(path);
  return judged.served ? path : refuse(judged.error);
}

async function refuse(error: Error): Promise<undefined> {
  const { message, remedy } = describeFailure(error);
  const again = vscode.l10n.t('Choose Model');
  const chosen = await vscode.window.showWarningMessage(`${message} ${remedy}`, again);
  if (chosen === again) await vscode.commands.executeCommand(commands.chooseModel);
}

/** One that names no file goes on with the files of its repository. */
async function enterReference(parts: HubPickParts): Promise<string | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('A Model of Hugging Face'),
    prompt: vscode.l10n.t(
      'The address of a GGUF file or of a repository, hf:owner/repository/file.gguf or hf:owner/repository',
    ),
    placeHolder: 'hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF/qwen2.5-coder-7b-instruct-q4_k_m.gguf',
    ignoreFocusOut: true,
    validateInput: referenceProblem,
  });
  const reference = text === undefined ? undefined : parseHubReference(text.trim());
  return reference !== undefined && reference.file === undefined
    ? pickHubFile(reference, parts)
    : text?.trim();
}

/** Undefined when there is none. */
function referenceProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    if (parseHubReference(text.trim()) !== undefined) return undefined;
  } catch (error) {
    if (isAskError(error)) return describeFailure(error).message;
    throw error;
  }
  return vscode.l10n.t('This names no file or repository of Hugging Face.');
}
