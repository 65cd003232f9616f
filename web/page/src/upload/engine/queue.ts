/**
 * Rows in the order in which they are taken.
 */

/** A queue that has each item once, and to whose front items can be put back. */
export class Queue<T> {
  readonly #members = new Set<T>();
  readonly #front: T[] = [];
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#members.size;
  }

  push(item: T): void {
    if (!this.#members.has(item)) {
      this.#members.add(item);
      this.#items.push(item);
    }
  }

  /** Adds an item that is the next to be taken. */
  putBack(item: T): void {
    if (!this.#members.has(item)) {
      this.#members.add(item);
      this.#front.push(item);
    }
  }

  /** The next item, which stays; undefined if there is none. */
  peek(): T | undefined {
    return this.#front.at(-1) ?? this.#items[this.#head];
  }

  take(): T | undefined {
    let item = this.#front.pop();
    if (item === undefined) {
      item = this.#items[this.#head];
      if (item === undefined) {
        return undefined;
      }
      this.#head++;
    }
    this.#members.delete(item);
    // The array is shortened now and then: `shift` would move all items every time.
    if (this.#head > 1000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
