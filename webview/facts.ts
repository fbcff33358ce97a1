/** What stands below an answer: its citations, its evidence, what was read, and its figures. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Place } from '../extension/protocol/chat.ts';
import type { AnswerFacts } from '../extension/protocol/conversation.ts';
import type { LineRange } from '../extension/protocol/nouns.ts';
import { barWidth } from './barWidth.ts';
import { icon } from './buttons.ts';
import { formatDuration, formatLines, formatNumber, formatShare, formatTime, placeOf } from './format.ts';
import { send } from './host.ts';

/**
 * @param marked the kept lines of this answer are marked in the editor
 * @param stale files have changed since it was read
 */
export function factsView(
  exchangeId: string,
  facts: AnswerFacts,
  folders: readonly string[],
  marked: boolean,
  stale: boolean,
): TemplateResult {
  return html`<div class="facts">
    ${
      facts.thinEvidence
        ? html`<p class="notice">
            ${icon('warning')}
            <span
              >${l10n.t(
                'Little was found about this question in the files that were read. Check the answer against the sources.',
              )}</span
            >
          </p>`
        : nothing
    }
    ${citations(facts, folders)} ${evidence(exchangeId, facts, folders, marked)}
    <button type="button" class="link muted" @click=${() => send({ type: 'showCoverage', exchangeId })}>
      ${coverageSentence(facts)}
    </button>
    <p class="muted figures">${figures(facts, stale).join(' · ')}</p>
  </div>`;
}

/** A button that opens lines, and shows them while it is pointed at or has the focus. */
export function linesLink(range: LineRange, folders: readonly string[]): TemplateResult {
  const place = placeOf(range);
  const preview = (event: Event): void => {
    if (event.currentTarget instanceof Element) firePreview(event.currentTarget, place);
  };
  const end = (event: Event): void => {
    if (event.currentTarget instanceof Element) firePreview(event.currentTarget, null);
  };
  return html`<button
    type="button"
    class="link lines-link"
    @click=${() => send({ type: 'open', place })}
    @mouseenter=${preview}
    @focus=${preview}
    @mouseleave=${end}
    @blur=${end}
  >
    ${formatLines(range, folders)}
  </button>`;
}

function firePreview(anchor: Element, place: Place | null): void {
  const detail = place === null ? null : { place, anchor };
  anchor.dispatchEvent(new CustomEvent('ask-preview', { detail, bubbles: true, composed: true }));
}

function citations({ citations }: AnswerFacts, folders: readonly string[]): TemplateResult | typeof nothing {
  if (citations.length === 0) return nothing;
  return html`<h3>${l10n.t('Sources')}</h3>
    <ul class="citations">
      ${citations.map(
        (citation) =>
          html`<li>
            ${linesLink(citation, folders)}
            ${
              citation.source === 'evidence'
                ? html`<span class="muted">${l10n.t('from the evidence')}</span>`
                : nothing
            }
          </li>`,
      )}
    </ul>`;
}

function evidence(
  exchangeId: string,
  { evidence }: AnswerFacts,
  folders: readonly string[],
  marked: boolean,
): TemplateResult | typeof nothing {
  if (evidence.length === 0) return nothing;
  return html`<details class="evidence">
    <summary>${l10n.t('Evidence: {0} places', formatNumber(evidence.length))}</summary>
    <p class="muted">${l10n.t('What the model still held of the files when it answered.')}</p>
    <button
      type="button"
      class="secondary"
      aria-pressed=${marked}
      @click=${() => send({ type: 'markEvidence', exchangeId: marked ? null : exchangeId })}
    >
      ${icon(marked ? 'eye-closed' : 'eye')} ${l10n.t('Show in the editor')}
    </button>
    <ol class="sources">
      ${evidence.map(
        (lines) =>
          html`<li>
            <div class="row">
              <span class="grow">${linesLink(lines, folders)}</span>
              <span class="share">${formatShare(lines.weight, 1)}</span>
            </div>
            <div class="bar" aria-hidden="true">
              <div ${barWidth(100 * lines.weight)}></div>
            </div>
          </li>`,
      )}
    </ol>
  </details>`;
}

function coverageSentence({ coverage, statistics }: AnswerFacts): string {
  return l10n.t(
    'Read {0} of {1} files, {2} tokens, kept {3}',
    formatNumber(coverage.filesRead),
    formatNumber(coverage.filesFound),
    formatNumber(statistics.documentTokens),
    formatNumber(statistics.keptTokens),
  );
}

function figures({ model, device, seconds, statistics }: AnswerFacts, stale: boolean): string[] {
  const parts = [model, device, formatDuration(seconds)];
  if (statistics.readAt !== undefined) {
    const time = formatTime(statistics.readAt);
    parts.push(stale ? l10n.t('From {0}', time) : l10n.t('From {0}, files unchanged', time));
  }
  if (statistics.reused === 'index') parts.push(l10n.t('Ranked with the index'));
  if (statistics.generateSeconds > 0) {
    const speed = statistics.generatedTokens / statistics.generateSeconds;
    parts.push(l10n.t('{0} tokens/s', formatNumber(speed, 1)));
  }
  return parts;
}
