/** What a model's heads are chosen by: functions of this program, each asked for by the sentence that described it. */
import type { Passage } from '../../protocol/nouns.ts';
import described from './describedFunctions.json' with { type: 'json' };

export interface CalibrationFunction {
  readonly passage: Passage;
  readonly description: string;
}

export const calibrationFunctions: readonly CalibrationFunction[] = described.map(
  ({ path, description, lines }) => ({
    passage: {
      ...{ workspace: '', path, startLine: 1, endLine: lines.length },
      text: `${lines.join('\n')}\n`,
    },
    description,
  }),
);

/** Functions that are read as one document. */
export const functionsPerDocument = 9;
