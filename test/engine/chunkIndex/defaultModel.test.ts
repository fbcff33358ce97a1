/** The default model finds code by what it does, where question and code share no word. */
import { expect, test } from 'vitest';
import { scoreByAttention } from '../../../extension/engine/chunkIndex/attentionRanking.ts';
import { PassageIndexer, type PassageKeys } from '../../../extension/engine/chunkIndex/passageIndexer.ts';
import { indexPrefix, questionForm } from '../../../extension/engine/chunkIndex/questionForm.ts';
import { rankingHeadsOf } from '../../../extension/engine/chunkIndex/rankingHeads.ts';
import { LlamaModel } from '../../../extension/engine/llama/llamaModel.ts';
import { loadLibrary } from '../../../extension/engine/llama/library.ts';
import { startRanking } from '../../../extension/retrieval/ranking.ts';
import { smolLm2Path } from '../../modelFiles.ts';
import { steadyPace } from '../../tinyEngine.ts';

/** Each with a question about it in other words. */
const functions = [
  {
    question: 'What empties a basket?',
    code: 'function clearCart(order) {\n  order.items.length = 0;\n  order.total = 0;\n}\n',
  },
  {
    question: 'How is a picture made smaller?',
    code: 'def shrink(image, width):\n    ratio = width / image.width\n    return image.resize((width, int(image.height * ratio)))\n',
  },
  {
    question: 'What sends mail to people?',
    code: 'def notify(users, smtp):\n    for user in users:\n        smtp.sendmail("noreply@site", user.email, "Hello")\n',
  },
  {
    question: 'Where does the program wait longer after each failed attempt?',
    code: 'async function retry(call) {\n  for (let n = 0; ; n++) {\n    try { return await call(); } catch { await sleep(2 ** n * 100); }\n  }\n}\n',
  },
  {
    question: 'What checks the password of someone who signs in?',
    code: 'def authenticate(name, secret):\n    user = users.get(name)\n    return user is not None and bcrypt.checkpw(secret, user.hash)\n',
  },
  {
    question: 'Which code puts numbers in order?',
    code: 'function quicksort(a) {\n  if (a.length < 2) return a;\n  const [p, ...r] = a;\n  return [...quicksort(r.filter((x) => x < p)), p, ...quicksort(r.filter((x) => x >= p))];\n}\n',
  },
];

test('by attention, nearly every question finds its function first', async () => {
  const library = loadLibrary('cpu');
  const model = LlamaModel.load(library, await smolLm2Path(), { device: 'cpu' });
  const heads = rankingHeadsOf(model.metadata('general.basename'), model.metadata('general.size_label'))!;
  const indexer = new PassageIndexer(model, heads, indexPrefix(model));
  const hooks = { pace: steadyPace(), signal: new AbortController().signal };
  try {
    const index: PassageKeys[] = [];
    for (const { code } of functions)
      index.push(await indexer.keysOf(model.tokenize(code, { special: false }), hooks));
    const ranks: number[] = [];
    for (const [own, { question }] of functions.entries()) {
      const { tokens, rows } = questionForm(model, question);
      const queries = await indexer.queriesOf(tokens, rows, hooks);
      const ratios = index.map((keys) => indexer.attentionOn(keys, queries));
      const scores = scoreByAttention(ratios, rows.length, indexer.heads);
      ranks.push(1 + scores.filter((score) => score > scores[own]!).length);
    }
    console.log(`ranks among ${functions.length}: ${ranks.join(', ')}`);
    expect(ranks.filter((rank) => rank === 1).length).toBeGreaterThanOrEqual(functions.length - 1);
  } finally {
    indexer.dispose();
    model.dispose();
  }
});

test('by their words they cannot be told apart', () => {
  for (const { question, code } of functions) {
    const ranking = startRanking(question);
    ranking.add({ workspace: 'w', path: 'x.txt', text: code });
    expect(
      ranking.rank().map(({ score }) => score),
      question,
    ).toEqual([0]);
  }
});
