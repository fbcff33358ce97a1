/**
 * The conversations of a window and the questions that run in them. It owns what the page shows: the page may come and
 * go, and nothing of an answer is lost by it. Questions run one after the other; what changed is told to a listener.
 *
 * Longer than other files: the queue, what is shown and what runs change in the same steps. What can be said without
 * them is in conversation.ts and readings.ts, and the conversations' files are behind openConversations.ts.
 */
import { isAskError } from '../errors.ts';
import type { AnswerEvent } from '../protocol/answerEvents.ts';
import type { Activity, PageChange, PageState } from '../protocol/chat.ts';
import type { Conversation, Draft, Exchange, Pin } from '../protocol/conversation.ts';
import type { SkippedFile } from '../protocol/nouns.ts';
import type { ChatParts, ChatQuestion } from './chatParts.ts';
import * as change from './conversation.ts';
import { queueItem, type Decision, type Job } from './job.ts';
import { waitForModel } from './waitForModel.ts';
import { OpenConversations } from './openConversations.ts';
import {
  branchReadings,
  countByExchange,
  earlierReading,
  isAmong,
  noReadings,
  readingOf,
} from './readings.ts';

export type ChatState = Pick<
  PageState,
  'conversation' | 'conversations' | 'activities' | 'queue' | 'draft' | 'changedFiles'
>;

const newDraft = '';

export class Chat {
  readonly #parts: ChatParts;
  /** Those that are shown or asked in. */
  readonly #open: OpenConversations;
  readonly #activities = new Map<string, Activity>();
  #drafts: Readonly<Record<string, Draft>> = {};
  #shown: string | null = null;
  #queue: readonly Job[] = [];
  #pumping = false;
  /** By exchange of the shown conversation: files that are other than when they were read for it. */
  #changedFiles: Readonly<Record<string, number>> = {};
  #changeChecks = 0;

  private constructor(parts: ChatParts) {
    this.#parts = parts;
    this.#open = new OpenConversations(parts.store, parts.now);
  }

  /** With what is stored: what ran when it was stored is marked as interrupted. */
  static async open(parts: ChatParts): Promise<Chat> {
    const chat = new Chat(parts);
    const panel = await parts.store.readPanel();
    chat.#drafts = panel.drafts;
    chat.#open.summaries = await parts.store.list();
    if (panel.shown !== null) await chat.show(panel.shown);
    return chat;
  }

  get state(): ChatState {
    const conversation = this.shown;
    const ids = new Set(conversation?.exchanges.map(({ id }) => id));
    return {
      conversation,
      conversations: this.#open.summaries,
      activities: Object.fromEntries([...this.#activities].filter(([id]) => ids.has(id))),
      queue: this.#queue.map(queueItem),
      draft: this.#drafts[this.#shown ?? newDraft] ?? change.emptyDraft,
      changedFiles: this.#changedFiles,
    };
  }

  get shown(): Conversation | null {
    return this.#open.get(this.#shown)?.conversation ?? null;
  }

  /** Asks in the shown conversation, or begins one. Returns the exchange's id. */
  ask(question: string, pins: readonly Pin[]): string {
    const { now, newId } = this.#parts;
    const conversation = this.shown ?? change.newConversation(newId(), question, now());
    const exchange = change.newExchange(newId(), question, pins, now());
    if (this.shown === null) this.#open.add({ conversation, readings: noReadings });
    const begins = this.#shown !== conversation.id;
    this.#shown = conversation.id;
    this.#setDraft(begins ? newDraft : conversation.id, change.emptyDraft);
    this.#put(conversation.id, exchange, !begins);
    if (begins) this.#tellAll();
    this.#enqueue(conversation.id, exchange);
    return exchange.id;
  }

  /** Asks the same once more, for another answer. */
  regenerate(exchangeId: string): void {
    const place = this.#idleExchange(exchangeId);
    if (place !== undefined) this.#askAgain(place.id, place.exchange, place.exchange, { anew: true });
  }

  /** Asks the same once more, of the workspace as it is now. */
  askAgain(exchangeId: string): void {
    const place = this.#idleExchange(exchangeId);
    if (place !== undefined) this.#askAgain(place.id, place.exchange, place.exchange, { fromScratch: true });
  }

  /** Whether a file was read for an answer of the shown conversation. */
  hasRead(workspace: string, path: string): boolean {
    return isAmong(this.#open.get(this.#shown)?.readings ?? noReadings, workspace, path);
  }

  /** Looks at the files that were read for the answers of the shown conversation, and tells which are stale. */
  async checkChanges(): Promise<void> {
    const check = ++this.#changeChecks;
    const readings = this.#open.get(this.#shown)?.readings ?? noReadings;
    const changedFiles = await countByExchange(readings, this.#parts.changedFiles);
    // A later check knows better.
    if (check !== this.#changeChecks) return;
    if (JSON.stringify(changedFiles) === JSON.stringify(this.#changedFiles)) return;
    this.#changedFiles = changedFiles;
    this.#parts.onChange([{ change: 'state', state: { changedFiles } }]);
  }

  /** Ids of the conversations that contain a text, latest first. */
  find(text: string): Promise<readonly string[]> {
    return this.#parts.store.find(text);
  }

  /**
   * Asks otherwise. The last question is replaced; an earlier one is asked in a conversation of its own that begins
   * with what came before, so that what came after stays.
   */
  edit(exchangeId: string, question: string, pins: readonly Pin[]): void {
    const place = this.#idleExchange(exchangeId);
    if (place === undefined) return;
    const { conversation, readings } = this.#open.get(place.id)!;
    if (conversation.exchanges.at(-1)?.id === exchangeId) {
      this.#askAgain(place.id, place.exchange, { question, pins });
      return;
    }
    const { newId, now } = this.#parts;
    const branch = change.branchBefore(conversation, exchangeId, { id: newId(), newId, now: now() });
    const ids = new Map(
      branch.exchanges.map(({ id }, index) => [conversation.exchanges[index]!.id, id] as const),
    );
    this.#open.add({ conversation: branch, readings: branchReadings(readings, ids) });
    this.#shown = branch.id;
    this.ask(question, pins);
    this.#tellAll();
  }

  /** Goes on where an answer was cut off. */
  continue(exchangeId: string): void {
    const place = this.#idleExchange(exchangeId);
    if (place === undefined) return;
    const { failure: _, facts: __, ...kept } = place.exchange;
    const exchange: Exchange = { ...kept, state: 'waiting' };
    this.#put(place.id, exchange);
    this.#enqueue(place.id, exchange);
  }

  /** The choice that the activity `confirm` or `needsModel` waits for. */
  decide(exchangeId: string, decision: Decision): void {
    this.#jobOf(exchangeId)?.decide?.(decision);
  }

  /** A question waits for a model that is not on this machine. */
  get awaitsModel(): boolean {
    return [...this.#activities.values()].some(({ kind }) => kind === 'needsModel');
  }

  /** Another model was set: the question that waits for one looks again. */
  modelChanged(): void {
    if (this.awaitsModel) this.#queue[0]?.decide?.('modelChanged');
  }

  /** Ends the download of a model, and waits for the user again. What has arrived is kept. */
  pauseModel(exchangeId: string): void {
    this.#jobOf(exchangeId)?.pause?.();
  }

  /** @param exchangeId the running one when absent */
  stop(exchangeId?: string): void {
    const job = exchangeId === undefined ? this.#queue[0] : this.#jobOf(exchangeId);
    if (job === undefined) return;
    job.stop.abort();
    if (job.running) {
      this.#setActivity(job, { kind: 'stopping' });
      return;
    }
    this.#leaveQueue(job);
    this.#settle(job, { state: 'stopped' });
  }

  startNew(): void {
    this.#shown = null;
    this.#forgetUnused();
    this.#storePanel();
    this.#tellAll();
  }

  /** Nothing happens when it is not there. */
  async show(id: string): Promise<void> {
    const stored = await this.#open.find(id);
    if (stored === undefined) return;
    // It may have been opened meanwhile.
    if (this.#open.get(id) === undefined) {
      const conversation = change.interruptRunning(stored.conversation, this.#parts.interrupted());
      this.#open.add({ ...stored, conversation });
    }
    this.#shown = id;
    this.#forgetUnused();
    this.#storePanel();
    this.#tellAll();
  }

  async rename(id: string, title: string): Promise<void> {
    const line = change.titleOf(title);
    if (line === '') return;
    await this.#open.rename(id, line);
    this.#tellAll();
  }

  /** Returns what brings it back, or undefined when it is not there. */
  async delete(id: string): Promise<(() => Promise<void>) | undefined> {
    for (const { conversationId, exchangeId } of this.#queue)
      if (conversationId === id) this.stop(exchangeId);
    const stored = await this.#open.find(id);
    if (stored === undefined) return undefined;
    const removed = this.#open.remove(id);
    if (this.#shown === id) this.#shown = null;
    this.#tellAll();
    await removed;
    return async () => {
      await this.#open.restore(stored);
      await this.show(id);
    };
  }

  async conversation(id: string): Promise<Conversation | undefined> {
    return (await this.#open.find(id))?.conversation;
  }

  exchange(exchangeId: string): Exchange | undefined {
    return this.shown?.exchanges.find(({ id }) => id === exchangeId);
  }

  skippedOf(exchangeId: string): readonly SkippedFile[] {
    const readings = this.#open.get(this.#shown)?.readings ?? noReadings;
    return readingOf(readings, exchangeId)?.coverage.skipped ?? [];
  }

  setDraft(draft: Draft): void {
    this.#setDraft(this.#shown ?? newDraft, draft);
    this.#storePanel();
  }

  /** Stops everything and resolves once all is stored: what ran is found as interrupted. */
  async close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    const written = this.#open.close(new Set(queue.map(({ conversationId }) => conversationId)));
    for (const job of queue) job.stop.abort();
    await written;
  }

  #askAgain(
    id: string,
    before: Exchange,
    { question, pins }: Pick<Exchange, 'question' | 'pins'>,
    how: Partial<Pick<Job, 'anew' | 'fromScratch'>> = {},
  ): void {
    const exchange = change.newExchange(before.id, question, pins, this.#parts.now());
    this.#put(id, exchange);
    this.#enqueue(id, exchange, { ...how, before });
  }

  #enqueue(
    conversationId: string,
    { id: exchangeId, question }: Exchange,
    how: Partial<Pick<Job, 'anew' | 'fromScratch' | 'before'>> = {},
  ): void {
    const stop = new AbortController();
    const { anew = false, fromScratch = false, before } = how;
    const job: Job = {
      conversationId,
      exchangeId,
      question,
      anew,
      fromScratch,
      before,
      stop,
      running: false,
    };
    this.#queue = [...this.#queue, job];
    this.#tellQueue();
    if (!this.#pumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let job = this.#queue[0]; job !== undefined; job = this.#queue[0]) {
      job.running = true;
      this.#tellQueue();
      await this.#run(job);
      this.#leaveQueue(job);
    }
    this.#pumping = false;
  }

  async #run(job: Job): Promise<void> {
    const { signal } = job.stop;
    const begin = this.#parts.now();
    try {
      await waitForModel(job, this.#parts, {
        decide: (activity) => this.#decision(job, activity, signal),
        show: (activity) => this.#setActivity(job, activity),
      });
      const exchange = this.#exchangeOf(job);
      const stored = this.#open.get(job.conversationId);
      if (exchange === undefined || stored === undefined) return;
      this.#put(job.conversationId, { ...exchange, state: 'running' });
      const { conversation, readings } = stored;
      const history = change.historyBefore(conversation, job.exchangeId);
      const reading = job.fromScratch ? undefined : earlierReading(readings, conversation, job.exchangeId);
      if (reading !== undefined) this.#open.setReading(job.conversationId, job.exchangeId, reading);
      const question: ChatQuestion = {
        question: exchange.question,
        pins: exchange.pins,
        history,
        answerSoFar: exchange.text,
        ...(reading === undefined ? {} : { continueOn: readings.records[reading]! }),
        anew: job.anew,
      };
      const confirm: Parameters<ChatParts['answer']>[1] = async (plan, signal) => {
        const decision = await this.#decision(job, { kind: 'confirm', ...plan }, signal);
        return decision === 'smaller' ? 'smaller' : 'planned';
      };
      for await (const event of this.#parts.answer(question, confirm, signal))
        this.#onEvent(job, event, begin);
    } catch (error) {
      this.#onFailure(job, error);
    }
  }

  #decision(job: Job, activity: Activity, signal: AbortSignal): Promise<Decision> {
    this.#setActivity(job, activity);
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(new DOMException('stopped', 'AbortError'));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      job.decide = (decision) => {
        signal.removeEventListener('abort', abort);
        delete job.decide;
        this.#setActivity(job, null);
        resolve(decision);
      };
    });
  }

  #onEvent(job: Job, event: AnswerEvent, begin: number): void {
    const exchange = this.#exchangeOf(job);
    if (exchange === undefined) return;
    if (event.event === 'progress') {
      const { event: _, ...progress } = event;
      if (!job.stop.signal.aborted) this.#setActivity(job, { kind: 'progress', ...progress });
    } else if (event.event === 'plan') {
      this.#open.setReading(job.conversationId, exchange.id, this.#parts.newId(), event.reading);
    } else if (event.event === 'readAgain') {
      this.#put(job.conversationId, { ...exchange, readAgain: event.why });
    } else if (event.event === 'notice') {
      // The window shows them, whatever was asked.
    } else if (event.event === 'text') {
      this.#open.stream(job.conversationId, { ...exchange, text: exchange.text + event.text });
      if (job.conversationId === this.#shown) {
        const offset = exchange.text.length;
        this.#parts.onChange([{ change: 'text', exchangeId: exchange.id, offset, text: event.text }]);
      }
    } else {
      const { citations, evidence, thinEvidence, coverage, statistics } = event;
      const { filesFound, filesRead } = coverage;
      const { model, device } = this.#parts.loaded() ?? { model: '', device: '' };
      const seconds = (this.#parts.now() - begin) / 1000;
      this.#settle(job, {
        state: 'answered',
        facts: {
          ...{ citations, evidence, thinEvidence, statistics, model, device, seconds },
          coverage: { filesFound, filesRead },
        },
      });
    }
  }

  #onFailure(job: Job, error: unknown): void {
    if (job.stop.signal.aborted) {
      this.#settle(job, { state: 'stopped' });
      return;
    }
    const exchange = this.#exchangeOf(job);
    const wentAway = isAskError(error, 'engineStopped') || isAskError(error, 'engineHung');
    const cutOff = wentAway && (exchange?.text ?? '') !== '';
    this.#settle(job, { state: cutOff ? 'interrupted' : 'failed', failure: this.#parts.describe(error) });
  }

  /** Ends an exchange: as it was before when it was asked anew, and nothing came. */
  #settle(job: Job, end: Pick<Exchange, 'state'> & Partial<Pick<Exchange, 'facts' | 'failure'>>): void {
    this.#setActivity(job, null);
    const exchange = this.#exchangeOf(job);
    if (exchange === undefined) return;
    const nothingCame = exchange.text === '' && end.state === 'stopped';
    // What was read again is true again.
    void this.checkChanges();
    const settled = nothingCame && job.before !== undefined ? job.before : { ...exchange, ...end };
    this.#put(job.conversationId, settled);
  }

  /** Puts an exchange in its place, tells of it and stores it. */
  #put(id: string, exchange: Exchange, tell = true): void {
    if (!this.#open.put(id, exchange)) return;
    this.#storePanel();
    if (!tell) return;
    const changes: PageChange[] = [{ change: 'state', state: { conversations: this.#open.summaries } }];
    if (id === this.#shown) changes.push({ change: 'exchange', exchange });
    this.#parts.onChange(changes);
  }

  #setActivity(job: Job, activity: Activity | null): void {
    if (activity === null) this.#activities.delete(job.exchangeId);
    else this.#activities.set(job.exchangeId, activity);
    if (job.conversationId !== this.#shown) return;
    this.#parts.onChange([{ change: 'activity', exchangeId: job.exchangeId, activity }]);
  }

  #leaveQueue(job: Job): void {
    this.#queue = this.#queue.filter((other) => other !== job);
    this.#tellQueue();
  }

  #tellQueue(): void {
    for (const [ahead, job] of this.#queue.entries()) {
      if (!job.running) this.#setActivity(job, { kind: 'queued', ahead });
      else if (this.#activities.get(job.exchangeId)?.kind === 'queued') this.#setActivity(job, null);
    }
    this.#parts.onChange([{ change: 'state', state: { queue: this.#queue.map(queueItem) } }]);
  }

  /** Everything that depends on which conversation is shown. */
  #tellAll(): void {
    this.#changedFiles = {};
    void this.checkChanges();
    const { activities, ...state } = this.state;
    this.#parts.onChange([
      { change: 'state', state },
      ...Object.entries(activities).map(
        ([exchangeId, activity]) => ({ change: 'activity', exchangeId, activity }) as const,
      ),
    ]);
  }

  #setDraft(id: string, draft: Draft): void {
    const { [id]: _, ...others } = this.#drafts;
    const isEmpty = draft.text === '' && draft.pins.length === 0;
    this.#drafts = isEmpty ? others : { ...others, [id]: draft };
  }

  #storePanel(): void {
    void this.#parts.store.writePanel({ shown: this.#shown, drafts: this.#drafts });
  }

  /** What is neither shown nor asked in is on the disk. */
  #forgetUnused(): void {
    this.#open.keepOnly(new Set([this.#shown, ...this.#queue.map(({ conversationId }) => conversationId)]));
  }

  #jobOf(exchangeId: string): Job | undefined {
    return this.#queue.find((job) => job.exchangeId === exchangeId);
  }

  #exchangeOf({ conversationId, exchangeId }: Job): Exchange | undefined {
    return this.#open.exchangeOf(conversationId, exchangeId);
  }

  /** One that is not asked just now. */
  #idleExchange(exchangeId: string): { readonly id: string; readonly exchange: Exchange } | undefined {
    return this.#jobOf(exchangeId) === undefined ? this.#open.placeOf(exchangeId) : undefined;
  }
}
