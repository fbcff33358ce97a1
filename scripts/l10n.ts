/**
 * `npm run l10n`: prints what the translations lack, as lines that can be pasted into them.
 * Exits with 1 when they lack something. Runs in the folder of package.json.
 */
import { bundles, compareTranslation, readTexts } from './translations.ts';

for (const { translationPath, texts } of await bundles('.')) {
  const { missing, superfluous, mismatched } = compareTranslation(texts, readTexts(translationPath));
  print('Missing', missing);
  print('Superfluous', superfluous);
  print('Other placeholders, links or code than the text', mismatched);
  const faults = missing.length + superfluous.length + mismatched.length;
  console.log(`${translationPath}: ${Object.keys(texts).length} texts, ${faults} to mend`);
  if (faults > 0) process.exitCode = 1;

  function print(title: string, keys: readonly string[]): void {
    if (keys.length === 0) return;
    console.log(`\n${title} in ${translationPath}:`);
    for (const key of keys) console.log(`  ${JSON.stringify(key)}: ${JSON.stringify(texts[key] ?? '')},`);
  }
}
