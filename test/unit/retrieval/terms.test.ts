import { describe, expect, test } from 'vitest';
import { stem } from '../../../extension/retrieval/stem.ts';
import { questionTerms, scanWords, termsOf } from '../../../extension/retrieval/terms.ts';

const texts: readonly (readonly [text: string, terms: string])[] = [
  // identifiers
  ['camelCase', 'camel cas camelcas'],
  ['PascalCase', 'pascal cas pascalcas'],
  ['snake_case', 'snak cas snakecas'],
  ['kebab-case', 'kebab cas kebabcas'],
  ['SCREAMING_SNAKE', 'scream snak screamingsnak'],
  ['HTTPServer', 'http server httpserver'],
  ['parseHTTPRequest', 'pars http request parsehttp httprequest parsehttprequest'],
  ['XMLHttpRequest', 'xml http request xmlhttp httprequest xmlhttprequest'],
  ['getURLs', 'get url geturl'],
  ['URLs', 'url'],
  ['iOS', 'os ios'],
  ['tokenBudget', 'token budget tokenbudget'],
  ['default_token_budget', 'default token budget defaulttoken tokenbudget defaulttokenbudget'],
  ['_private', 'priv'],
  ['__init__', 'init'],
  ['x', ''],
  ['a.b', ''],
  ['$scope', 'scop'],
  ['this.kvCache', 'this kv cach kvcach'],
  // digits
  ['utf8', 'utf utf8'],
  ['sha256', 'sha 256 sha256'],
  ['f16', '16 f16'],
  ['base64Encode', 'bas 64 encod base64 64encode base64encode'],
  ['3.14', '14'],
  ['0xff', 'xf 0xff'],
  // paths and operators
  ['src/retrieval/terms.ts', 'src retriev term ts'],
  ['C:\\Users\\me', 'user me'],
  ['--token-budget 512', 'token budget tokenbudget 512'],
  ['a-b', 'ab'],
  ['width - height', 'width height'],
  ['size-1', 'siz'],
  ['p->next', 'next'],
  // other scripts
  ['naïve', 'naïve'],
  ['naı̈ve Größe', 'naı̈ve größe'],
  ['größeÄndern', 'größe ändern größeändern'],
  ['функцияПоиска', 'функция поиска функцияпоиска'],
  ['ΑΒΓ', 'αβγ'],
  ['関数', '関数'],
  ['関数名', '関数 数名'],
  ['漢', '漢'],
  ['テキストを読む', 'テキ キス スト トを を読 読む'],
  ['함수를', '함수 수를'],
  ['getデータ', 'デー ータ get'],
  ['ฟังก์ชัน', 'ฟั ัง งก ก์ ์ช ชั ัน'],
  ['مرحبا بالعالم', 'مرحبا بالعالم'],
  ['हिन्दी', 'हिन्दी'],
  ['ｆｕｌｌ', 'ful'],
  ['cafe\u0301', 'café'],
  ['𠮷野家', '𠮷野 野家'],
  // no words at all
  ['', ''],
  [' \n\t', ''],
  ['=> { } ; // ---', ''],
  ['😀 🎉', ''],
];

test.each(texts)('terms of %j', (text, terms) => {
  expect(termsOf(text).join(' ')).toBe(terms);
});

const families: readonly (readonly string[])[] = [
  ['compress', 'compresses', 'compressed', 'compressing', 'compression', 'compressions', 'compressor'],
  ['cache', 'caches', 'cached', 'caching'],
  ['map', 'maps', 'mapped', 'mapping', 'mappings'],
  ['add', 'adds', 'added', 'adding'],
  ['parse', 'parses', 'parsed', 'parsing'],
  ['generate', 'generates', 'generated', 'generating', 'generation', 'generator', 'generators'],
  ['configure', 'configured', 'configuration', 'configurations'],
  ['create', 'creates', 'created', 'creating', 'creation', 'creator'],
  ['evict', 'evicted', 'eviction'],
  ['tokenize', 'tokenizer', 'tokenized', 'tokenization'],
  ['use', 'uses', 'used', 'using'],
  ['policy', 'policies'],
  ['query', 'queries'],
  ['class', 'classes'],
  ['index', 'indexes', 'indexed', 'indexing', 'indices'],
  ['decide', 'decides', 'decided', 'decision'],
  ['keep', 'keeps', 'keeping', 'kept'],
  ['retrieve', 'retrieved', 'retrieval'],
  ['delete', 'deletion'],
  ['validate', 'validator', 'validation'],
  ['embed', 'embedding', 'embedded'],
  ['process', 'processes', 'processing', 'processor'],
  ['write', 'writes', 'writing', 'written', 'wrote'],
];

test.each(families)('%s and its family have one stem', (...words) => {
  expect(new Set(words.map(stem))).toHaveLength(1);
});

const strangers: readonly (readonly [string, string])[] = [
  ['string', 'str'],
  ['header', 'head'],
  ['user', 'use'],
  ['need', 'ne'],
  ['format', 'form'],
  ['status', 'statu'],
  ['number', 'numb'],
  ['token', 'take'],
  ['state', 'star'],
];

test.each(strangers)('%s and %s are two words', (a, b) => {
  expect(stem(a)).not.toBe(stem(b));
});

const questions: readonly (readonly [question: string, terms: string])[] = [
  ['How does the compression decide which tokens to keep?', 'compres decid compressiondecid token keep'],
  ['What is the token budget?', 'token budget tokenbudget'],
  ['Where is `tokenBudget` defined?', 'token budget tokenbudget'],
  ['Why do we need a top-k?', 'need top topk'],
  ["Doesn't it cache the cache?", 'cach'],
  ['Files, folders', 'fil folder'],
  ['restart policy / restart policies', 'restart polici restartpolici'],
  ['キャッシュはどこ？', 'キャ ャッ ッシ シュ ュは はど どこ'],
  ['What does this project do?', ''],
  ['', ''],
];

test.each(questions)('terms of the question %j', (question, terms) => {
  expect(questionTerms(question).join(' ')).toBe(terms);
});

describe('words of a text', () => {
  test('are found between two offsets only', () => {
    const words: string[] = [];
    const text = 'one two-three four';
    scanWords(text, 4, 13, (start, end) => words.push(text.slice(start, end)));
    expect(words).toEqual(['two-three']);
  });

  test('of great length come in pieces', () => {
    const lengths: number[] = [];
    scanWords('a'.repeat(450), 0, 450, (start, end) => lengths.push(end - start));
    expect(lengths).toEqual([200, 200, 50]);
  });
});
