/** The conversations that are shown or asked in, kept equal to their files; and the list of all that there are. */
import type { Conversation, ConversationSummary, Exchange, ReadingRecord } from '../protocol/conversation.ts';
import type { ConversationStore } from './conversationStore.ts';
import * as change from './conversation.ts';
import { withReading } from './readings.ts';
import type { StoredConversation } from './storedConversation.ts';

/** A streamed answer is written at most this often. */
const writeEveryMs = 500;

export class OpenConversations {
  readonly #store: ConversationStore;
  readonly #now: () => number;
  readonly #open = new Map<string, StoredConversation>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Latest first. */
  summaries: readonly ConversationSummary[] = [];

  constructor(store: ConversationStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  get(id: string | null): StoredConversation | undefined {
    return id === null ? undefined : this.#open.get(id);
  }

  /** Also one that is not open. */
  async find(id: string): Promise<StoredConversation | undefined> {
    return this.#open.get(id) ?? this.#store.read(id);
  }

  add(stored: StoredConversation): void {
    this.#open.set(stored.conversation.id, stored);
  }

  /** Where an exchange is, among the open ones. */
  placeOf(exchangeId: string): { readonly id: string; readonly exchange: Exchange } | undefined {
    for (const [id, { conversation }] of this.#open) {
      const exchange = conversation.exchanges.find((one) => one.id === exchangeId);
      if (exchange !== undefined) return { id, exchange };
    }
    return undefined;
  }

  exchangeOf(id: string, exchangeId: string): Exchange | undefined {
    return this.#open.get(id)?.conversation.exchanges.find((exchange) => exchange.id === exchangeId);
  }

  /** Puts an exchange in its place and writes it. False when its conversation is not open any more. */
  put(id: string, exchange: Exchange): boolean {
    const conversation = this.#replace(id, exchange);
    if (conversation === undefined) return false;
    this.#summarize(conversation);
    this.#writeNow(id);
    return true;
  }

  /** The same for an answer that is being streamed: it is written a little later. */
  stream(id: string, exchange: Exchange): void {
    if (this.#replace(id, exchange) === undefined || this.#timers.has(id)) return;
    this.#timers.set(
      id,
      setTimeout(() => this.#writeNow(id), writeEveryMs),
    );
  }

  /** Written at once: with it a reading that is cut off goes on. */
  setReading(id: string, exchangeId: string, readingId: string, record?: ReadingRecord): void {
    const stored = this.#open.get(id);
    if (stored === undefined) return;
    this.#open.set(id, {
      ...stored,
      readings: withReading(stored.readings, exchangeId, readingId, record),
    });
    this.#writeNow(id);
  }

  async rename(id: string, title: string): Promise<void> {
    const stored = await this.find(id);
    if (stored === undefined) return;
    const renamed = { ...stored, conversation: { ...stored.conversation, title } };
    if (this.#open.has(id)) this.#open.set(id, renamed);
    this.summaries = this.summaries.map((one) => (one.id === id ? { ...one, title } : one));
    await this.#store.write(renamed);
  }

  async remove(id: string): Promise<void> {
    this.#forget(id);
    this.summaries = this.summaries.filter((one) => one.id !== id);
    await this.#store.remove(id);
  }

  async restore(stored: StoredConversation): Promise<void> {
    await this.#store.write(stored);
    this.#summarize(stored.conversation);
  }

  /** What is not used is on the disk. */
  keepOnly(used: ReadonlySet<string | null>): void {
    for (const id of this.#open.keys()) if (!used.has(id)) this.#forget(id);
  }

  /** Forgets all, and resolves once these and all before are written. */
  async close(unwritten: ReadonlySet<string>): Promise<void> {
    for (const id of unwritten) this.#writeNow(id);
    for (const id of this.#open.keys()) this.#forget(id);
    await this.#store.flush();
  }

  #replace(id: string, exchange: Exchange): Conversation | undefined {
    const stored = this.#open.get(id);
    if (stored === undefined) return undefined;
    const conversation = change.withExchange(stored.conversation, exchange, this.#now());
    this.#open.set(id, { ...stored, conversation });
    return conversation;
  }

  #summarize(conversation: Conversation): void {
    const others = this.summaries.filter(({ id }) => id !== conversation.id);
    this.summaries = [change.summaryOf(conversation), ...others].sort(change.byChange);
  }

  #writeNow(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const stored = this.#open.get(id);
    if (stored !== undefined) void this.#store.write(stored);
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#open.delete(id);
  }
}
