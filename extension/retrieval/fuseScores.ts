/**
 * Two rankings of the same passages as one, by what each passage is above the mean of each.
 * @param attention, lexical scores of the passages in one order, higher is better, in any unit
 */
export function fuseScores(attention: Float64Array, lexical: Float64Array): Float64Array {
  const [meaning, words] = [zScores(attention), zScores(lexical)];
  return meaning.map((value, passage) => value + LEXICAL_WEIGHT * words[passage]!);
}

/** In standard deviations from the mean; all 0 where nothing differs. */
function zScores(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}

const LEXICAL_WEIGHT = 1;
