/** Brings what is typed to the host soon, and keeps it in the editor at once. */
import type { Draft } from '../extension/protocol/conversation.ts';
import { emptyDraft, readSavedDraft, sameDraft } from './draftState.ts';
import { loadSaved, save, send } from './host.ts';

const pauseMilliseconds = 300;

export class DraftKeeper {
  /** As far as it was told, or has told it; null before its first word. */
  #hosts: Draft | null = null;
  #unsent: Draft | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The draft that the input has to show from now on; null: it stays as it is. */
  receive(draft: Draft): Draft | null {
    if (this.#hosts === null) {
      this.#hosts = draft;
      const saved = readSavedDraft(loadSaved());
      if (saved?.unsent !== true) return draft;
      this.change(saved.draft);
      return saved.draft;
    }
    if (sameDraft(draft, this.#hosts)) return null;
    this.#hosts = draft;
    this.#forget(draft);
    return draft;
  }

  change(draft: Draft): void {
    this.#unsent = draft;
    save({ draft, unsent: true });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tell(draft);
      this.#forget(draft);
    }, pauseMilliseconds);
  }

  /** The host empties its draft with every question. */
  asked(): void {
    this.#hosts = emptyDraft;
    this.#forget(emptyDraft);
  }

  /** The page goes. The host may not hear of it any more, so that what was saved stays the newer one. */
  leave(): void {
    if (this.#unsent !== null) this.#tell(this.#unsent);
  }

  #tell(draft: Draft): void {
    this.#hosts = draft;
    send({ type: 'draft', draft });
  }

  #forget(draft: Draft): void {
    clearTimeout(this.#timer);
    this.#unsent = null;
    save({ draft, unsent: false });
  }
}
