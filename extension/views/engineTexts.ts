/** What the window says of the engine, in the user's language. */
import * as vscode from 'vscode';
import { deviceProblems, thisMachine, type EngineNotice, type LoadResult } from '../protocol/engine.ts';
import { architectureTexts, layerTexts } from '../models/modelProblems.ts';
import { absentText, skipReasonText } from '../protocol/nouns.ts';
import { isSentence, type Sentence, type SentenceArguments } from '../protocol/sentence.ts';

/** One sentence, with the numbers. */
export function noticeText(notice: EngineNotice): string {
  switch (notice.kind) {
    case 'deviceLeftOut':
      return vscode.l10n.t('The device {0} is not used: {1}.', notice.device, ...translated([notice.why]));
    case 'cudaLeftOut':
      return vscode.l10n.t(
        '{0}. {1} is used instead. Install what is missing, or choose the device vulkan or cpu in the settings.',
        sentenceText(notice.why),
        notice.instead,
      );
    case 'shorterChunks':
      return vscode.l10n.t(
        'It is read in chunks of {0} tokens: {1}.',
        notice.chunkTokens,
        sentenceText(notice.why),
      );
    case 'steppedDown':
      return vscode.l10n.t(
        'The model runs with less memory than usual ({0} of {1} layers on a GPU, chunks of {2} tokens): {3} MB would be needed and {4} MB are free ({5}).',
        notice.offloadedLayers,
        notice.layers,
        notice.chunkTokens,
        megabytes(notice.neededBytes),
        megabytes(notice.freeBytes),
        ...translated([notice.where]),
      );
  }
}

/** In the user's language, with what of its arguments is a text of ours. */
export function sentenceText({ template, args }: Sentence): string {
  return vscode.l10n.t(template, ...translated(args));
}

/** Texts that stand inside of other sentences; names, paths and what others wrote stay as they are. */
const innerTexts: ReadonlySet<string> = new Set([
  thisMachine,
  absentText,
  ...Object.values(deviceProblems),
  ...[skipReasonText, architectureTexts, layerTexts].flatMap((texts): string[] => Object.values(texts)),
]);

function translated(args: SentenceArguments): (string | number)[] {
  return args.map((arg) => {
    if (isSentence(arg)) return sentenceText(arg);
    return typeof arg === 'string' && innerTexts.has(arg) ? vscode.l10n.t(arg) : arg;
  });
}

/** Layers and memory of each device, and the library's version, a line each. */
export function loadedDetails({ placement, libraryVersion, layers }: LoadResult): string[] {
  return [
    ...placement.map(({ device, layers: placed, estimatedBytes }) =>
      vscode.l10n.t(
        '{0}: {1} of {2} layers, about {3} MB',
        device,
        placed,
        layers,
        megabytes(estimatedBytes),
      ),
    ),
    `llama.cpp ${libraryVersion}`,
  ];
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
