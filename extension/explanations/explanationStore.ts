/**
 * The explanations of one workspace, one file each. Only the names of the files are held in memory; a file is replaced
 * as a whole, and one that cannot be read is removed and told, since it can be made again.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../replaceFile.ts';
import {
  fileNameOf,
  fileNameStart,
  formatExplanation,
  parseExplanation,
  type Explanation,
} from './explanation.ts';

/** More than anybody reads; about a kilobyte each. */
export const mostExplanations = 2_000;
/** So many leave at once when there are too many, so that not every further one looks at all files. */
const removedAtOnce = 100;

export class ExplanationStore {
  readonly #folder: string;
  readonly #onProblem: (problem: string) => void;
  readonly #most: number;
  readonly #changed: () => void;
  #names: Promise<Set<string>> | undefined;

  /**
   * @param folder absolute; made when something is first written
   * @param onProblem told in a sentence what cannot be read or written; nothing here throws
   */
  constructor(
    folder: string,
    {
      onProblem,
      onChange = () => undefined,
      most = mostExplanations,
    }: {
      readonly onProblem: (problem: string) => void;
      readonly onChange?: () => void;
      readonly most?: number;
    },
  ) {
    this.#folder = folder;
    this.#onProblem = onProblem;
    this.#changed = onChange;
    this.#most = most;
  }

  /** Those of all symbols with this name. */
  async named(name: string): Promise<Explanation[]> {
    const names = await this.#known();
    const start = fileNameStart(name);
    const found = [...names].filter((fileName) => fileName.startsWith(start));
    const explanations = await Promise.all(found.map((fileName) => this.#read(fileName)));
    return explanations.filter((one) => one?.name === name).filter((one) => one !== undefined);
  }

  async write(explanation: Explanation): Promise<void> {
    const names = await this.#known();
    const fileName = fileNameOf(explanation);
    try {
      await replaceFile(join(this.#folder, fileName), formatExplanation(explanation));
      names.add(fileName);
      if (names.size > this.#most) await this.#removeOldest(names);
    } catch (error) {
      this.#onProblem(`The explanation of ${explanation.name} could not be stored: ${messageOf(error)}`);
    }
    this.#changed();
  }

  #known(): Promise<Set<string>> {
    this.#names ??= this.#list();
    return this.#names;
  }

  async #list(): Promise<Set<string>> {
    try {
      return new Set((await readdir(this.#folder)).filter((name) => name.endsWith('.json')));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#onProblem(`${this.#folder}: ${messageOf(error)}`);
      return new Set();
    }
  }

  async #read(fileName: string): Promise<Explanation | undefined> {
    const path = join(this.#folder, fileName);
    try {
      const explanation = parseExplanation(await readFile(path, 'utf8'));
      if (fileNameOf(explanation) === fileName) return explanation;
      throw new Error('it is that of another symbol');
    } catch (error) {
      (await this.#known()).delete(fileName);
      if (codeOf(error) === 'ENOENT') return undefined;
      this.#onProblem(`A damaged explanation was removed: ${path}: ${messageOf(error)}`);
      await rm(path, { force: true }).catch(() => undefined);
      return undefined;
    }
  }

  async #removeOldest(names: Set<string>): Promise<void> {
    const aged = await Promise.all(
      [...names].map(async (name) => ({
        name,
        writtenMs: await stat(join(this.#folder, name)).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      })),
    );
    aged.sort((a, b) => a.writtenMs - b.writtenMs);
    const surplus = names.size - this.#most + Math.min(removedAtOnce, Math.floor(this.#most / 10));
    for (const { name } of aged.slice(0, surplus)) {
      names.delete(name);
      await rm(join(this.#folder, name), { force: true });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
