import type { EngineNotice, LoadResult } from '../protocol/engine.ts';
import { fillTemplate } from '../protocol/sentence.ts';
import { count, mebibytes, plural } from './numbers.ts';
import { safeText } from './safeText.ts';

/** One sentence, with the numbers. */
export function noticeSentence(notice: EngineNotice): string {
  switch (notice.kind) {
    case 'deviceLeftOut':
      return safeText(`The device ${notice.device} is not used: ${notice.why}.`);
    case 'cudaLeftOut': {
      const { instead, why } = notice;
      const what = `${fillTemplate(why.template, why.args)}. ${instead} is used instead.`;
      return safeText(`${what} Install what is missing, or name the device vulkan or cpu.`);
    }
    case 'shorterChunks':
      return safeText(
        `It is read in chunks of ${plural(notice.chunkTokens, 'token')}: ${fillTemplate(notice.why.template, notice.why.args)}.`,
      );
    case 'steppedDown': {
      const { neededBytes, freeBytes, where, chunkTokens, offloadedLayers, layers } = notice;
      const lack = `${mebibytes(neededBytes)} would be needed and ${where} has ${mebibytes(freeBytes)} free`;
      const instead = `${count(offloadedLayers)} of ${plural(layers, 'layer')} on a GPU, chunks of ${plural(chunkTokens, 'token')}`;
      return safeText(`The model runs with less memory than usual (${instead}): ${lack}.`);
    }
  }
}

/** "CPU (AMD EPYC), 0 of 30 layers on a GPU, llama.cpp 0.4.0" */
export function deviceSentence({ deviceName, offloadedLayers, layers, libraryVersion }: LoadResult): string {
  return safeText(
    `${deviceName}, ${count(offloadedLayers)} of ${plural(layers, 'layer')} on a GPU, llama.cpp ${libraryVersion}`,
  );
}
