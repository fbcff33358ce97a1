/** The stored readings as the engine uses them: taken at once, written in the background, never a reason to fail. */
import type { StateFolder } from '../../protocol/engine.ts';
import type { StoredReading } from './readingState.ts';
import { openStateStore } from '../../stateStore/stateStore.ts';

export interface ReadingStore {
  has(name: string): Promise<boolean>;
  /** Null when there is none, or none that is whole. */
  read(name: string): Promise<StoredReading | null>;
  /** In the background. Of two for one name that both wait for the disk, the earlier is not written. */
  write(name: string, stored: StoredReading): void;
  /** What the folder may still hold without losing anything, bytes. */
  room(): Promise<number>;
  /** In the background, after what was written before. */
  remove(name: string): void;
  log(line: string): void;
}

export interface ReadingStores {
  readonly open: (folder: StateFolder) => ReadingStore;
  /** Resolves when everything is written. */
  readonly idle: () => Promise<void>;
}

/** The stores of an engine process, one for each folder. */
export function createReadingStores(log: (line: string) => void): ReadingStores {
  const opened = new Map<string, ReadingStore & { idle: () => Promise<void> }>();
  return {
    open(folder) {
      const key = JSON.stringify(folder);
      const store = opened.get(key) ?? openReadingStore(folder, log);
      opened.set(key, store);
      return store;
    },
    async idle() {
      await Promise.all(Array.from(opened.values(), ({ idle }) => idle()));
    },
  };
}

function openReadingStore(
  { path, capBytes }: StateFolder,
  log: (line: string) => void,
): ReadingStore & { idle: () => Promise<void> } {
  const store = openStateStore({ folder: path, capBytes, log });
  const waiting = new Map<string, StoredReading>();
  const { signal } = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  const afterwards = (work: () => Promise<unknown>): void => {
    last = last.then(work).catch((error: unknown) => log(String(error)));
  };
  return {
    has: (name) => store.has(name),
    async read(name) {
      // What is on its way to the disk is not there yet.
      await last;
      return store.read(name);
    },
    write(name, stored) {
      const isWaiting = waiting.has(name);
      waiting.set(name, stored);
      if (isWaiting) return;
      afterwards(async () => {
        const { header, sections } = waiting.get(name)!;
        waiting.delete(name);
        await store.write(name, header, sections, signal);
      });
    },
    async room() {
      await last;
      return capBytes - (await store.usage()).bytes;
    },
    remove(name) {
      afterwards(() => store.remove([name]));
    },
    log,
    async idle() {
      await last;
    },
  };
}
