/** The same planted fact at ten depths of readings of growing length: whether what stands in the middle is lost. */
import { facts, largeSources, plantInPassage } from '../facts.ts';
import type { Group } from './groups.ts';

/** Tokens of source, before the fact is planted. */
const lengths = [2048, 4096, 8192, 16_384, 32_768] as const;
const depths = 10;

/**
 * One group for each fact, length and depth, the shortest first; all depths of a length before the next length.
 * @param rounds facts that are asked
 */
export function* positionGroups(rounds: number, countTokens: (text: string) => number): Generator<Group> {
  for (let round = 0; round < rounds; round++) {
    const fact = facts[round % facts.length]!;
    for (const length of lengths) {
      const sources = largeSources(length, countTokens);
      for (let depth = 0; depth < depths; depth++) {
        const index = Math.floor(((depth + 0.5) / depths) * sources.length);
        const planted = plantInPassage(sources, index, fact);
        const path = sources[index]!.path;
        const lines = planted[index]!.text.split('\n');
        const line = lines.findIndex((text) => text.includes(fact.lines[0]!)) + 1;
        const { question, lead, answer } = fact;
        yield {
          ...{
            package: `sources of ${length} tokens`,
            round,
            documents: planted,
            place: (depth + 0.5) / depths,
          },
          questions: [
            {
              ...{ kind: 'position', question, lead, answer, wrong: [] },
              evidence: [{ path, lines: [line] }],
            },
          ],
        };
      }
    }
  }
}
