/**
 * The conversations of one workspace, one file each. A file is replaced as a whole, so that a crash leaves the old or
 * the new one; a file that cannot be read is set aside and told, never deleted.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Conversation, ConversationSummary } from '../protocol/conversation.ts';
import { replaceFile } from '../replaceFile.ts';
import { byChange, summaryOf } from './conversation.ts';
import {
  formatStored,
  parseConversation,
  parsePanel,
  type StoredConversation,
  type StoredPanel,
} from './storedConversation.ts';

export interface StoreProblem {
  readonly kind: 'damaged' | 'notWritten';
  /** Absolute. */
  readonly path: string;
  readonly problem: string;
}

const extension = '.json';
const panelFile = 'panel.json';
const emptyPanel: StoredPanel = { shown: null, drafts: {} };

export class ConversationStore {
  readonly #folder: string;
  readonly #onProblem: (problem: StoreProblem) => void;
  /** By file name: the write that runs, after which the latest content that was asked for is written. */
  readonly #writing = new Map<string, Promise<void>>();
  readonly #latest = new Map<string, string | null>();

  /** @param folder absolute; made when something is first written */
  constructor(folder: string, onProblem: (problem: StoreProblem) => void) {
    this.#folder = folder;
    this.#onProblem = onProblem;
  }

  /** All that can be read, latest first. Never throws. */
  async list(): Promise<ConversationSummary[]> {
    const summaries: ConversationSummary[] = [];
    for await (const { conversation } of this.#all()) summaries.push(summaryOf(conversation));
    return summaries.sort(byChange);
  }

  /** Ids of those that contain the text, whatever its case, in their title, questions or answers. Never throws. */
  async find(text: string): Promise<string[]> {
    const wanted = text.toLocaleLowerCase();
    const found: string[] = [];
    for await (const { conversation } of this.#all()) {
      if (textsOf(conversation).some((part) => part.toLocaleLowerCase().includes(wanted))) {
        found.push(conversation.id);
      }
    }
    return found;
  }

  /** Undefined when there is none, or none that can be read. */
  async read(id: string): Promise<StoredConversation | undefined> {
    return isFileSafe(id) ? this.#readFile(id + extension, parseConversation) : undefined;
  }

  /** Resolves once it is on the disk, or the problem was told. */
  write(stored: StoredConversation): Promise<void> {
    return this.#write(stored.conversation.id + extension, formatStored(stored));
  }

  remove(id: string): Promise<void> {
    return this.#write(id + extension, null);
  }

  async readPanel(): Promise<StoredPanel> {
    return (await this.#readFile(panelFile, parsePanel)) ?? emptyPanel;
  }

  writePanel(panel: StoredPanel): Promise<void> {
    return this.#write(panelFile, formatStored(panel));
  }

  /** Resolves when everything that was asked for is written. */
  async flush(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async *#all(): AsyncGenerator<StoredConversation, void, undefined> {
    await this.flush();
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#tell('damaged', this.#folder, error);
      return;
    }
    for (const name of names) {
      if (!name.endsWith(extension) || name === panelFile) continue;
      const stored = await this.#readFile(name, parseConversation);
      if (stored !== undefined && stored.conversation.id + extension === name) yield stored;
    }
  }

  async #readFile<T>(name: string, parse: (json: string) => T): Promise<T | undefined> {
    await this.#writing.get(name);
    const path = join(this.#folder, name);
    try {
      const json = await readFile(path, 'utf8');
      try {
        return parse(json);
      } catch (error) {
        await rename(path, `${path}.damaged-${Date.now()}`);
        this.#tell('damaged', path, error);
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#tell('damaged', path, error);
    }
    return undefined;
  }

  /** @param content null removes the file */
  #write(name: string, content: string | null): Promise<void> {
    this.#latest.set(name, content);
    const running = this.#writing.get(name);
    if (running !== undefined) return running;
    const writing = this.#writeLatest(name).finally(() => this.#writing.delete(name));
    this.#writing.set(name, writing);
    return writing;
  }

  async #writeLatest(name: string): Promise<void> {
    const path = join(this.#folder, name);
    for (let content = this.#latest.get(name); content !== undefined; content = this.#latest.get(name)) {
      this.#latest.delete(name);
      try {
        if (content === null) await rm(path, { force: true });
        else await replaceFile(path, content);
      } catch (error) {
        this.#tell('notWritten', path, error);
      }
    }
  }

  #tell(kind: StoreProblem['kind'], path: string, error: unknown): void {
    this.#onProblem({ kind, path, problem: error instanceof Error ? error.message : String(error) });
  }
}

function textsOf({ title, exchanges }: Conversation): string[] {
  return [title, ...exchanges.flatMap(({ question, text }) => [question, text])];
}

/** Ids are made here; one that comes from the page may be anything. */
function isFileSafe(id: string): boolean {
  return /^[\w-]{1,64}$/u.test(id);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
