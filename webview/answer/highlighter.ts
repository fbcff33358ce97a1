/** Colours code by its grammar. This file and the engine behind it are loaded with the first code block. */
import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';
import type { Grammar } from './grammars.ts';

/** A part of a line, and the kind of thing that it is in the language. */
export interface CodeToken {
  readonly text: string;
  /** One of the classes in answerStyles.ts; none: as the rest of the text. */
  readonly classes: readonly string[];
}

const linesPerStep = 100;
const longestLine = 2_000;
const frameMilliseconds = 8;

/** The tokens of a text, line by line. Other work is let in between steps. */
export async function tokenizeCode(code: string, grammar: Grammar): Promise<CodeToken[][]> {
  const highlighter = await sharedHighlighter();
  if (!highlighter.getLoadedLanguages().includes(grammar.name)) {
    await highlighter.loadLanguage((await grammar.load()).default);
  }
  const lines = code.split('\n');
  const tokens: CodeToken[][] = [];
  let grammarState = undefined;
  let began = performance.now();
  for (let at = 0; at < lines.length; at += linesPerStep) {
    if (performance.now() - began > frameMilliseconds) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      began = performance.now();
    }
    const step = lines.slice(at, at + linesPerStep).join('\n');
    const result = highlighter.codeToTokensBase(step, {
      lang: grammar.name,
      theme,
      tokenizeMaxLineLength: longestLine,
      ...(grammarState === undefined ? {} : { grammarState }),
    });
    grammarState = highlighter.getLastGrammarState(result);
    for (const line of result) {
      tokens.push(
        line.map(({ content, color, fontStyle }) => ({
          text: content,
          classes: classesOf(color ?? '', fontStyle ?? 0),
        })),
      );
    }
  }
  return tokens;
}

const theme = 'answer';
const variablePrefix = '--code-';

let highlighterPromise: Promise<HighlighterCore> | undefined;
function sharedHighlighter(): Promise<HighlighterCore> {
  highlighterPromise ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: theme, variablePrefix })],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return highlighterPromise;
}

/** Bits of the font style in a TextMate theme. */
const italic = 1;
const bold = 2;

function classesOf(color: string, fontStyle: number): string[] {
  const kind = /^var\(--code-(token-[a-z-]+)\)$/.exec(color)?.[1];
  const classes = kind === undefined ? [] : [kind];
  if ((fontStyle & italic) !== 0) classes.push('italic');
  if ((fontStyle & bold) !== 0) classes.push('bold');
  return classes;
}
