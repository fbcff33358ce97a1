/** What an unfinished exchange is doing, and what the user can decide about it. */
import * as l10n from '@vscode/l10n';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { AnswerStage } from '../extension/protocol/answerEvents.ts';
import type { Activity, ModelOffer, QueueItem } from '../extension/protocol/chat.ts';
import { barWidth } from './barWidth.ts';
import { iconButton, textButton } from './buttons.ts';
import { formatBytes, formatDuration, formatNumber, formatShare } from './format.ts';
import { send } from './host.ts';

type Progress = Extract<Activity, { readonly kind: 'progress' }>;

/** @param activity null: the host has not told yet */
export function activityView(
  exchangeId: string,
  activity: Activity | null,
  queue: readonly QueueItem[],
): TemplateResult {
  switch (activity?.kind) {
    case undefined:
      return working(exchangeId, l10n.t('Starting…'));
    case 'stopping':
      return html`<p class="activity muted">${l10n.t('Stopping…')}</p>`;
    case 'queued':
      return queued(exchangeId, activity.ahead, queue);
    case 'needsModel':
      return activity.haveBytes > 0 ? paused(exchangeId, activity) : welcome(exchangeId, activity);
    case 'confirm':
      return decision(exchangeId, activity);
    case 'progress':
      return progress(exchangeId, activity);
  }
}

/** One sentence for the live region; empty when there is nothing to say. */
export function activitySentence(activity: Activity | null): string {
  switch (activity?.kind) {
    case 'progress': {
      const share = shareDone(activity);
      return share === null
        ? stageName(activity.stage)
        : `${stageName(activity.stage)} ${formatShare(share)}`;
    }
    case 'queued':
      return aheadSentence(activity.ahead);
    case 'confirm':
      return l10n.t('Reading everything is estimated to take {0}.', formatDuration(activity.seconds));
    case 'needsModel':
      return activity.haveBytes > 0 ? l10n.t('The download is paused.') : l10n.t('A model is needed first.');
    case 'stopping':
    case undefined:
      return '';
  }
}

function stageName(stage: AnswerStage): string {
  const names: Readonly<Record<AnswerStage, string>> = {
    finding: l10n.t('Finding files'),
    ranking: l10n.t('Ranking passages'),
    downloading: l10n.t('Downloading the model'),
    verifying: l10n.t('Checking the model'),
    loading: l10n.t('Loading the model'),
    reading: l10n.t('Reading'),
    answering: l10n.t('Answering'),
  };
  return names[stage];
}

function working(exchangeId: string, sentence: string): TemplateResult {
  return html`<div class="activity row">
    <span class="grow">${sentence}</span>
    ${stopButton(exchangeId)}
  </div>`;
}

function stopButton(exchangeId: string): TemplateResult {
  return textButton(l10n.t('Stop'), () => send({ type: 'stop', exchangeId }));
}

function pauseButton(exchangeId: string): TemplateResult {
  return textButton(l10n.t('Pause'), () => send({ type: 'pauseModel', exchangeId }));
}

function queued(exchangeId: string, ahead: number, queue: readonly QueueItem[]): TemplateResult {
  const own = queue.findIndex((item) => item.exchangeId === exchangeId);
  const before = queue.slice(0, Math.max(0, own));
  return html`<div class="activity">
    <div class="row">
      <span class="grow">${aheadSentence(ahead)}</span>
      ${stopButton(exchangeId)}
    </div>
    ${
      before.length === 0
        ? nothing
        : html`<details>
            <summary>${l10n.t('Show the queue')}</summary>
            <ol class="queue">
              ${before.map(
                (item) =>
                  html`<li class="row">
                    <button
                      type="button"
                      class="link grow"
                      @click=${() => send({ type: 'openConversation', conversationId: item.conversationId })}
                    >
                      ${item.question}
                    </button>
                    ${item.running ? html`<span class="badge">${l10n.t('running')}</span>` : nothing}
                    ${iconButton({
                      icon: 'close',
                      label: l10n.t('Stop: {0}', item.question),
                      onClick: () => send({ type: 'stop', exchangeId: item.exchangeId }),
                    })}
                  </li>`,
              )}
            </ol>
          </details>`
    }
  </div>`;
}

function aheadSentence(ahead: number): string {
  return ahead === 1
    ? l10n.t('1 question before this one')
    : l10n.t('{0} questions before this one', formatNumber(ahead));
}

type NeedsModel = Extract<Activity, { readonly kind: 'needsModel' }>;

function welcome(exchangeId: string, offer: NeedsModel): TemplateResult {
  const { name, reason, others = [] } = offer;
  const get = (one: ModelOffer, kind: 'primary' | 'secondary'): TemplateResult =>
    textButton(
      l10n.t('Get {0} ({1})', one.name, offeredSize(one)),
      () => send({ type: 'getModel', exchangeId, name: one.name }),
      kind,
    );
  return html`<div class="activity card">
    <h3>${l10n.t('One model, once')}</h3>
    <p>
      ${l10n.t(
        'Your question is answered by a model on this machine. {0} has to be downloaded once ({1}).',
        name,
        offeredSize(offer),
      )}
    </p>
    ${reason === undefined ? nothing : html`<p>${l10n.t('It suits this machine: {0}', reason)}</p>`}
    <p>${l10n.t('Nothing leaves this machine. Your question is answered as soon as the model is there.')}</p>
    <div class="actions">
      ${get(offer, 'primary')} ${others.map((other) => get(other, 'secondary'))}
      ${textButton(l10n.t('Choose another…'), () => send({ type: 'remedy', exchangeId, action: 'chooseModel' }))}
      ${textButton(l10n.t('Cancel'), () => send({ type: 'stop', exchangeId }))}
    </div>
  </div>`;
}

function offeredSize({ bytes, about }: ModelOffer): string {
  return about === true ? l10n.t('about {0}', formatBytes(bytes)) : formatBytes(bytes);
}

/** A download that was begun: paused just now, or in an earlier window. */
function paused(exchangeId: string, { name, bytes, haveBytes }: NeedsModel): TemplateResult {
  const [have, all] = [formatBytes(haveBytes), formatBytes(bytes)];
  return html`<div class="activity card">
    <h3>${l10n.t('{0} has arrived in part', name)}</h3>
    <p>
      ${l10n.t('{0} of {1} are on this machine. Your question is answered as soon as the rest is there.', have, all)}
    </p>
    <div class="actions">
      ${textButton(
        l10n.t('Resume ({0} of {1} are there)', have, all),
        () => send({ type: 'getModel', exchangeId, name }),
        'primary',
      )}
      ${textButton(l10n.t('Cancel'), () => send({ type: 'stop', exchangeId }))}
    </div>
  </div>`;
}

function decision(
  exchangeId: string,
  { seconds, tokens, smaller }: Extract<Activity, { readonly kind: 'confirm' }>,
): TemplateResult {
  return html`<div class="activity card">
    <p>
      ${l10n.t(
        'Reading all {0} tokens is estimated to take {1}.',
        formatNumber(tokens),
        formatDuration(seconds),
      )}
    </p>
    <div class="actions">
      ${textButton(
        l10n.t('Read everything ({0})', formatDuration(seconds)),
        () => send({ type: 'confirm', exchangeId, reading: 'planned' }),
        'primary',
      )}
      ${textButton(
        l10n.t(
          'Read the best {0} tokens ({1})',
          formatNumber(smaller.tokens),
          formatDuration(smaller.seconds),
        ),
        () => send({ type: 'confirm', exchangeId, reading: 'smaller' }),
      )}
      ${textButton(l10n.t('Cancel'), () => send({ type: 'stop', exchangeId }))}
    </div>
  </div>`;
}

function progress(exchangeId: string, activity: Progress): TemplateResult {
  const share = shareDone(activity);
  const name = stageName(activity.stage);
  const percent = share === null ? null : Math.round(share * 100);
  return html`<div class="activity">
    <div class="row">
      <span class="grow"
        ><strong>${name}</strong> ${share === null ? nothing : html`<span>${formatShare(share)}</span>`}</span
      >
      ${activity.transfer?.resumable === true ? pauseButton(exchangeId) : nothing} ${stopButton(exchangeId)}
    </div>
    <div
      class="progress ${percent === null ? 'unknown' : ''}"
      role="progressbar"
      aria-label=${name}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${percent ?? nothing}
    >
      <div ${barWidth(percent)}></div>
    </div>
    <p class="muted details">${details(activity).join(' · ')}</p>
    ${activity.path === undefined ? nothing : html`<p class="muted path">${activity.path}</p>`}
  </div>`;
}

function shareDone({ stage, done, total }: Progress): number | null {
  // An answer ends when it is complete, and its limit says nothing about that.
  if (stage === 'answering') return null;
  const whole = stage === 'loading' ? (total ?? 1) : total;
  return whole === undefined || whole <= 0 ? null : Math.min(1, Math.max(0, done / whole));
}

function details({
  stage,
  done,
  total,
  tokensPerSecond,
  secondsLeft,
  filesDone,
  filesTotal,
  transfer,
}: Progress): string[] {
  const parts: string[] = [];
  if (filesDone !== undefined) {
    parts.push(
      filesTotal === undefined
        ? l10n.t('{0} files', formatNumber(filesDone))
        : l10n.t('{0} of {1} files', formatNumber(filesDone), formatNumber(filesTotal)),
    );
  }
  if (stage === 'downloading' || stage === 'verifying') {
    parts.push(
      total === undefined ? formatBytes(done) : l10n.t('{0} of {1}', formatBytes(done), formatBytes(total)),
    );
  } else if (stage === 'reading' || stage === 'answering') {
    parts.push(
      stage === 'answering' || total === undefined
        ? l10n.t('{0} tokens', formatNumber(done))
        : l10n.t('{0} of {1} tokens', formatNumber(done), formatNumber(total)),
    );
  } else if (stage !== 'loading' && filesDone === undefined) {
    parts.push(l10n.t('{0} files', formatNumber(done)));
  }
  if (transfer?.bytesPerSecond !== undefined) {
    parts.push(l10n.t('{0}/s', formatBytes(transfer.bytesPerSecond)));
  }
  if (tokensPerSecond !== undefined) parts.push(l10n.t('{0} tokens/s', formatNumber(tokensPerSecond)));
  if (secondsLeft !== undefined && stage !== 'answering')
    parts.push(l10n.t('{0} left', formatDuration(secondsLeft)));
  if (transfer !== undefined) parts.push(l10n.t('from {0}', transfer.source));
  return parts;
}
