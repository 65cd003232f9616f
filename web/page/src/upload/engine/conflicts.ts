/**
 * Files whose path is taken. One question is asked at a time; other files are sent meanwhile.
 */
import type { ConflictChoice, Question } from './messages.js';
import type { Row } from './row.js';

/** The files that wait for an answer. */
export class Conflicts {
  #rows: Row[] = [];
  #choice: ConflictChoice | null = null;

  constructor(
    readonly ask: (question: Question | null) => void,
    readonly apply: (row: Row, choice: ConflictChoice) => void,
  ) {}

  /**
   * Asks about a row, unless the user has given an answer for all. If the path with a number is
   * taken, too, the next number is tried.
   */
  add(row: Row): void {
    const choice = row.copyNumber > 1 ? 'keep-both' : this.#choice;
    if (choice) {
      this.apply(row, choice);
      return;
    }
    this.#rows.push(row);
    this.#askFirst();
  }

  /** The answer of the user. */
  answer(id: number, choice: ConflictChoice, isForAll: boolean): void {
    const answered = this.#rows.filter((row) => isForAll || row.id === id);
    this.#rows = this.#rows.filter((row) => !answered.includes(row));
    this.#choice = isForAll ? choice : null;
    answered.forEach((row) => this.apply(row, choice));
    this.#askFirst();
  }

  /** Rows that were cancelled need no answer. */
  remove(rows: Row[]): void {
    const removed = new Set(rows);
    const { length } = this.#rows;
    this.#rows = this.#rows.filter((row) => !removed.has(row));
    if (this.#rows.length !== length) {
      this.#askFirst();
    }
  }

  /** An answer for all is valid until all files have ended. */
  forgetChoice(): void {
    this.#choice = null;
  }

  #askFirst(): void {
    const [row, ...others] = this.#rows;
    this.ask(row ? { id: row.id, path: row.path, others: others.length } : null);
  }
}
