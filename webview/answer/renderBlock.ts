/** From the source of a block to nodes of the page. What the model wrote is not trusted; what comes out can do nothing. */
import DOMPurify from 'dompurify';
import { findCandidates } from './candidates.ts';
import { frameCode } from './codeBlock.ts';
import { htmlOf } from './markdown.ts';
import { appendVisible } from './visibleText.ts';

/** Rendering takes more than a frame for longer ones; only code comes so long. */
const longestMarkdownBlock = 100_000;

/** The nodes of a block. Texts that may name a file are spans of the class `candidate`; code is in frames of the class `code`. */
export function renderBlock(source: string): DocumentFragment {
  if (source.length > longestMarkdownBlock && !/^ {0,3}(?:```|~~~)/.test(source)) return plainBlock(source);
  const fragment = DOMPurify.sanitize(htmlOf(source), {
    ALLOWED_TAGS: allowedTags,
    ALLOWED_ATTR: allowedAttributes,
    // Their values go nowhere: they are not checked as addresses.
    ADD_URI_SAFE_ATTR: allowedAttributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  const texts = textNodesOf(fragment);
  for (const pre of fragment.querySelectorAll('pre')) frameCode(pre);
  for (const text of texts) markCandidates(text);
  return fragment;
}

const allowedTags =
  '#text p h3 h4 h5 h6 ul ol li blockquote hr br em strong s code pre table thead tbody tr th td'.split(' ');
const allowedAttributes = ['start', 'data-align', 'data-language'];

function plainBlock(source: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const paragraph = document.createElement('p');
  paragraph.className = 'plain';
  appendVisible(paragraph, source, 'prose');
  fragment.append(paragraph);
  return fragment;
}

/** Without those of code blocks. */
function textNodesOf(fragment: DocumentFragment): Text[] {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const nodes: Text[] = [];
  for (let node = walker.nextNode(); node instanceof Text; node = walker.nextNode()) {
    if (node.parentElement?.closest('pre') === null) nodes.push(node);
  }
  return nodes;
}

function markCandidates(node: Text): void {
  const where = node.parentElement?.localName === 'code' ? 'code' : 'prose';
  const shown = document.createDocumentFragment();
  let at = 0;
  for (const { start, end, text } of findCandidates(node.data, where)) {
    appendVisible(shown, node.data.slice(at, start), where);
    const candidate = document.createElement('span');
    candidate.className = 'candidate';
    candidate.textContent = text;
    shown.append(candidate);
    at = end;
  }
  appendVisible(shown, node.data.slice(at), where);
  node.replaceWith(shown);
}
