/** Token ids that tests name. */
export const tinyTokenIds = { unknown: 0, begin: 1, end: 2, firstByte: 3, turnStart: 259, turnEnd: 260 };

/** A SentencePiece vocabulary as GGUF holds it: three lists of one length, indexed by token id. */
export interface TinyVocabulary {
  readonly pieces: readonly string[];
  /** The higher, the earlier two neighbours are merged into this piece. */
  readonly scores: readonly number[];
  /** llama.cpp's token types. */
  readonly types: readonly number[];
}

/**
 * A small vocabulary in which every text has tokens: 256 byte tokens, the printable ASCII characters (a space is "▁"),
 * and words of code with all their beginnings, because a piece only forms by merging two others.
 * It is padded with unused tokens up to `size`; throws where `size` is too small.
 */
export function tinyVocabulary(size = 0): TinyVocabulary {
  const special: Entry[] = [
    { piece: '<unk>', type: tokenType.unknown, score: 0 },
    { piece: '<s>', type: tokenType.control, score: 0 },
    { piece: '</s>', type: tokenType.control, score: 0 },
    ...range(256).map((byte) => ({ piece: byteName(byte), type: tokenType.byte, score: 0 })),
    { piece: '<|im_start|>', type: tokenType.control, score: 0 },
    { piece: '<|im_end|>', type: tokenType.control, score: 0 },
  ];
  const characters = range(95).map((i) => String.fromCodePoint(0x20 + i).replace(' ', space));
  const beginnings = words.flatMap((word) => range(word.length - 1).map((i) => word.slice(0, i + 2)));
  const normal = [...new Set([...characters, ...beginnings])].map((piece, rank) => ({
    piece,
    type: tokenType.normal,
    score: -rank,
  }));
  const entries = [...special, ...normal];
  if (size !== 0 && size < entries.length)
    throw new Error(`a vocabulary of ${size} tokens is too small: ask for ${entries.length} or more`);
  for (let i = entries.length; i < size; i++)
    entries.push({ piece: `[PAD${i}]`, type: tokenType.unused, score: -i });
  return {
    pieces: entries.map(({ piece }) => piece),
    scores: entries.map(({ score }) => score),
    types: entries.map(({ type }) => type),
  };
}

interface Entry {
  readonly piece: string;
  readonly type: number;
  readonly score: number;
}

const tokenType = { normal: 1, unknown: 2, control: 3, unused: 5, byte: 6 };
const space = '▁';
const words = [
  ...['▁the', '▁of', '▁and', '▁to', '▁in', '▁is', '▁a', '▁that', '▁for', '▁it', '▁are', '▁file', '▁line'],
  ...['▁what', '▁which', '▁where', '▁how', '▁does', '▁port', '▁number', '▁server', '▁value', '▁code'],
  ...['▁return', '▁const', '▁function', '▁import', '▁from', '▁class', '▁self', '▁def', '▁if', '▁else'],
  ...['return', 'const', 'function', 'import', 'export', 'class', 'self', 'def', 'string', 'name', 'error'],
  ...['▁▁▁▁▁▁▁▁', '▁=', '▁{', '();', '()', ');', '==', '=>', '//', 'ing', 'er', 'on', 'an', 're', 'th'],
];

function byteName(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
