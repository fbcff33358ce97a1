/** What is understood as Markdown, and the HTML that it becomes. Nothing in that HTML refers to anything outside of it. */
import MarkdownIt, { type Token } from 'markdown-it';

/** Headings of an answer stand below those of the page. */
const headingOffset = 2;

/**
 * Definitions of references are off: they are shown as they stand. So nothing that comes later in an answer changes what
 * stands before it, and each block can be rendered alone.
 */
const parser = new MarkdownIt({ html: false, linkify: false, typographer: false }).disable('reference');
parser.validateLink = isShownAsLink;
parser.normalizeLink = (target) => target;
parser.normalizeLinkText = (text) => text;

const { escapeHtml } = parser.utils;
const { rules } = parser.renderer;
rules['link_open'] = () => '';
rules['link_close'] = (tokens, index) => targetAfterLabel(tokens, index);
rules['image'] = (tokens, index) => {
  const { content, attrs } = tokens[index]!;
  return `${escapeHtml(content)}${inBrackets(attribute(attrs, 'src'))}`;
};
rules['fence'] = (tokens, index) => {
  const { content, info } = tokens[index]!;
  const language = parser.utils.unescapeAll(info).trim().split(/\s/, 1)[0]!;
  return `<pre data-language="${escapeHtml(language)}"><code>${escapeHtml(content)}</code></pre>\n`;
};
for (const cell of ['th_open', 'td_open']) {
  rules[cell] = (tokens, index, options, _env, self) => {
    const token = tokens[index]!;
    // An alignment comes as a style attribute, which the page's policy forbids.
    token.attrs = (token.attrs ?? []).map(([, value]) => ['data-align', value.replace('text-align:', '')]);
    return self.renderToken(tokens, index, options);
  };
}
for (const heading of ['heading_open', 'heading_close']) {
  rules[heading] = (tokens, index, options, _env, self) => {
    const token = tokens[index]!;
    token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + headingOffset)}`;
    return self.renderToken(tokens, index, options);
  };
}

/** The top-level blocks of a text, each with the lines that it takes: `map` is [first, after the last], from 0. */
export function topLevelBlocks(text: string): Token[] {
  const tokens: Token[] = [];
  parser.block.parse(text.replace(/\r\n?/g, '\n'), parser, {}, tokens);
  return tokens.filter(({ level, nesting, map }) => level === 0 && nesting >= 0 && map !== null);
}

/**
 * HTML of p, h3 to h6, lists, quotes, tables, emphasis and code, with the attributes `start`, `data-align` and
 * `data-language` alone. Targets of links and images are text behind their label.
 */
export function htmlOf(markdown: string): string {
  return parser.render(markdown);
}

/** A link whose target is not a place on the web or a relative path stays as it was written. */
function isShownAsLink(target: string): boolean {
  return /^https?:\/\//i.test(target) || !/^[\s\p{C}]*[^/?#]*:(?!\d)/u.test(target);
}

function targetAfterLabel(tokens: readonly Token[], close: number): string {
  let open = close - 1;
  while (tokens[open]!.type !== 'link_open') open--;
  const target = attribute(tokens[open]!.attrs, 'href');
  const label = tokens
    .slice(open + 1, close)
    .map(({ content }) => content)
    .join('');
  return label === target ? '' : inBrackets(target);
}

function inBrackets(target: string): string {
  return target === '' ? '' : ` (<code>${escapeHtml(target)}</code>)`;
}

function attribute(attributes: readonly (readonly [string, string])[] | null, name: string): string {
  return attributes?.find(([key]) => key === name)?.[1] ?? '';
}
