/**
 * Two rankings of the same passages as one, by what each passage is above the mean of each.
 * @param lexical, attention scores of the passages in one order, higher is better, in any unit. That of the attention
 *        is best taken from something longer around the passage: it says what a place is about, the words which part.
 */
export function fuseScores(lexical: Float64Array, attention: Float64Array): Float64Array {
  const [words, meaning] = [zScores(lexical), zScores(attention)];
  return words.map((value, passage) => value + ATTENTION_WEIGHT * meaning[passage]!);
}

/** In standard deviations from the mean; all 0 where nothing differs. */
function zScores(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}

const ATTENTION_WEIGHT = 0.5;
