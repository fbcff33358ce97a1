/** What must hold of rows of the quality bench on any machine, in sentences where it does not. */
import { answeredKinds } from './report.ts';
import { qualityRow, type QualityRow } from './rows.ts';
import { wayNames, type WayName } from './ways.ts';

/** Of these the short form asks nothing: for depths, for longer readings, and with packages of Python. */
const unasked: readonly WayName[] = ['inFileOrder', 'allRead', 'kvpress'];

export function wrongIn(rows: readonly QualityRow[]): string[] {
  const malformed = rows.flatMap((row) => {
    const { error } = qualityRow.safeParse(row);
    return error === undefined ? [] : [`${row.way} of "${row.question}": ${error.message}`];
  });
  const answered = rows.filter(({ kind }) => answeredKinds.some((name) => name === kind));
  const missing = [
    ...[...answeredKinds, 'absent'].filter((kind) => !rows.some((row) => row.kind === kind)),
    ...wayNames.filter((way) => !unasked.includes(way) && !answered.some((row) => row.way === way)),
  ].map((name) => `nothing was measured of "${name}"`);
  const overlong = answered
    .filter(({ budget, seenTokens }) => budget > 0 && seenTokens > budget)
    .map(({ way, budget, seenTokens }) => `${way} sees ${seenTokens} of ${budget} tokens`);
  const lost = answered
    .filter(({ way, lineRecall }) => way === 'everything' && lineRecall !== 1)
    .map(({ question }) => `what answers "${question}" is not in the reading`);
  const nothing = meanOf(answered, 'nothing');
  const everything = meanOf(answered, 'everything');
  const better = everything < nothing ? [] : [`everything read: ${everything}, nothing read: ${nothing}`];
  return [...malformed, ...missing, ...overlong, ...lost, ...better];
}

function meanOf(rows: readonly QualityRow[], way: string): number {
  const own = rows.filter((row) => row.way === way);
  return own.reduce((sum, { nll }) => sum + nll, 0) / own.length;
}
