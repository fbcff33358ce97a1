/** The kept lines of an answer, marked in the editors: the more of the cache a place holds, the stronger. */
import * as vscode from 'vscode';
import type { Evidence } from '../protocol/nouns.ts';
import { rangeOfLines } from './places.ts';
import { placeOfUri } from './workspaceFolders.ts';

/** Strengths of the mark, weakest first. */
const opacities = [0.08, 0.16, 0.26];

export class EvidenceMarks implements vscode.Disposable {
  readonly #types = opacities.map((opacity) =>
    vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: `rgba(255, 170, 0, ${opacity})`,
      overviewRulerColor: `rgba(255, 150, 0, ${0.3 + 2 * opacity})`,
      overviewRulerLane: vscode.OverviewRulerLane.Right,
    }),
  );
  readonly #listener = vscode.window.onDidChangeVisibleTextEditors(() => this.#decorate());
  #evidence: readonly Evidence[] = [];

  /** An empty list takes the marks away. */
  show(evidence: readonly Evidence[]): void {
    this.#evidence = evidence;
    this.#decorate();
  }

  dispose(): void {
    this.#listener.dispose();
    for (const type of this.#types) type.dispose();
  }

  #decorate(): void {
    const strongest = Math.max(...this.#evidence.map(({ weight }) => weight), Number.MIN_VALUE);
    for (const editor of vscode.window.visibleTextEditors) {
      const place = placeOfUri(editor.document.uri);
      const here = this.#evidence.filter(
        ({ workspace, path }) => workspace === place?.workspace && path === place.path,
      );
      for (const [strength, type] of this.#types.entries()) {
        const marked = here.filter(({ weight }) => strengthOf(weight / strongest) === strength);
        editor.setDecorations(
          type,
          marked.map((lines) => ({
            range: rangeOfLines(editor.document, lines),
            hoverMessage: vscode.l10n.t('{0} % of what the answer rests on', (100 * lines.weight).toFixed(1)),
          })),
        );
      }
    }
  }
}

function strengthOf(share: number): number {
  return Math.min(opacities.length - 1, Math.floor(share * opacities.length));
}
