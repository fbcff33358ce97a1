/** From which focus on (`FinalAttention`) the evidence heads have found something, by how much is kept. */

/**
 * Below this focus of the evidence heads on one line, little was found. With SmolLM2-135M: of documents of 2,000 tokens
 * that are held whole, 12 planted facts had 0.009 to 0.035, and 16 facts that were not there 0.001 to 0.006, of which 15
 * lie below. Where something was dropped all is higher, and the less is kept, the higher: the median of what is answered
 * is 0.024 with 192 tokens kept, 0.018 with 384, 0.015 with 1,024 and 0.012 with 2,048, and three quarters of what is
 * absent lie below 0.010, 0.010, 0.007 and 0.006 with 256, 384, 1,024 and 2,048, so the limit follows the inverse cube
 * root. Of readings of twelve packages, compressed to 192 to 2,048 tokens (`npm run bench -- quality`), 58 of 84
 * facts of other packages lie below, and 35 of 355 answers whose evidence was held.
 * For other models both are taken in proportion (`LoadedEngine.focusScale`).
 */
export function thinEvidenceFocus(keptTokens: number, dropped: boolean): number {
  return dropped ? scaled(0.0102, 320, keptTokens) : 0.006;
}

/**
 * A follow-up is about something that the kept tokens do not hold when the evidence heads' focus on one line of them
 * is below this. Measured with SmolLM2-135M on planted facts, after 2,000 to 4,000 tokens were compressed to 512 under
 * the question about another fact (`npm run bench -- followups`): 58 facts that were held whole had 0.0084 to 0.067,
 * 26 that were gone 0.0011 to 0.0174, of which 21 lie below. The area under the curve is 0.99. So no follow-up of
 * these was read again for nothing, and one in five that should have been was not. With more or less kept, and for other
 * models, it is taken in proportion, too.
 */
export function notHeldFocus(keptTokens: number): number {
  return scaled(0.008, 512, keptTokens);
}

/** Of fewer kept tokens the focus was not measured. */
const leastMeasured = 192;

/** A limit that was measured with `measuredAt` tokens kept, for another number. */
function scaled(focus: number, measuredAt: number, keptTokens: number): number {
  return focus * Math.cbrt(measuredAt / Math.max(leastMeasured, keptTokens));
}
