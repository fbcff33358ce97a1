/** From what a question's tokens pay to each passage to one order of the passages. Pure. */

/**
 * Scores passages, higher is better; comparable within one call only.
 *
 * A token of a question pays some passages more than others. How much it pays on average says nothing about what is
 * asked, so the mean over the passages is taken off; what falls below it says nothing either, and of what is above, one
 * token that stands out counts more than many that barely do, hence the square. Heads differ in how far they swing, so
 * each one's sums are z-scored before they are added.
 *
 * @param logRatios for each passage f32 (rows, heads), rows fastest: see `PassageIndexer.attentionOn`.
 */
export function scoreByAttention(
  logRatios: readonly Float32Array[],
  rows: number,
  heads: number,
): Float64Array {
  const total = new Float64Array(logRatios.length);
  for (let head = 0; head < heads; head++) {
    const sums = new Float64Array(logRatios.length);
    for (let row = head * rows; row < (head + 1) * rows; row++) {
      const mean = logRatios.reduce((sum, ratios) => sum + ratios[row]!, 0) / logRatios.length;
      logRatios.forEach((ratios, passage) => {
        sums[passage]! += Math.max(0, ratios[row]! - mean) ** 2;
      });
    }
    zScores(sums).forEach((value, passage) => (total[passage]! += value));
  }
  return total;
}

/** In standard deviations from the mean; all 0 where nothing differs. */
function zScores(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}
