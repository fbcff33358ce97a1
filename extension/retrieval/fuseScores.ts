/**
 * Two rankings of the same passages as one, by what each passage is above the mean of each.
 * @param lexical, attention scores of the passages in one order, higher is better, in any unit. That of the attention
 *        is best taken from something longer around the passage: it says what a place is about, the words which part.
 *        NaN where it is not known: it then counts as the mean.
 */
export function fuseScores(lexical: Float64Array, attention: Float64Array): Float64Array {
  const [words, meaning] = [zScores(lexical), zScores(attention)];
  return words.map((value, passage) => value + ATTENTION_WEIGHT * meaning[passage]!);
}

/** In standard deviations from the mean; 0 where it is not known, and everywhere where nothing differs. */
function zScores(values: Float64Array): Float64Array {
  const known = values.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  return values.map((value) => (deviation > 0 && !Number.isNaN(value) ? (value - mean) / deviation : 0));
}

const ATTENTION_WEIGHT = 0.5;
