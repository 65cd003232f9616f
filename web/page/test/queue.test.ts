/** The order of files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Queue } from '../src/upload/engine/queue.js';

test('items are taken in order, and those put back first', () => {
  const queue = new Queue<number>();
  [1, 2, 3].forEach((item) => queue.push(item));
  assert.equal(queue.take(), 1);
  queue.putBack(1);
  assert.equal(queue.peek(), 1);
  assert.deepEqual([queue.take(), queue.take(), queue.take(), queue.take()], [1, 2, 3, undefined]);
  queue.push(4);
  assert.equal(queue.take(), 4);
});

test('item is in the queue once', () => {
  const queue = new Queue<number>();
  queue.push(1);
  queue.push(1);
  queue.putBack(1);
  assert.equal(queue.size, 1);
  queue.take();
  assert.equal(queue.size, 0);
});

test('long queue keeps its order while it is shortened', () => {
  const queue = new Queue<number>();
  for (let item = 0; item < 5000; item++) {
    queue.push(item);
  }
  for (let item = 0; item < 5000; item++) {
    assert.equal(queue.take(), item);
    if (item % 1000 === 0) {
      queue.push(5000 + item);
    }
  }
  assert.equal(queue.size, 5);
  assert.equal(queue.take(), 5000);
});
