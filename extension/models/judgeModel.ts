/** Whether a GGUF file can be served, by what it says of itself, before anything is loaded. */
import { AskError } from '../errors.ts';
import { readGgufHeader, type GgufHeader } from './ggufFile.ts';
import { checkServable } from './servable.ts';

export type ModelJudgement = ServedModel | RefusedModel;

export interface ServedModel {
  readonly served: true;
  readonly header: GgufHeader;
}

export interface RefusedModel {
  readonly served: false;
  /** What was found, with its reason. */
  readonly error: AskError;
}

export function judgeModelFile(path: string): ModelJudgement {
  try {
    const header = readGgufHeader(path);
    checkServable(header);
    return { served: true, header };
  } catch (error) {
    if (error instanceof AskError) return { served: false, error };
    throw error;
  }
}
