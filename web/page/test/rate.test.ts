/** Rate and time left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RateMeter, StallWatch } from '../src/upload/engine/rate.js';

test('rate is the average of the last seconds', () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 20; second++) {
    // Slow for ten seconds, then fast.
    const bytes = second <= 10 ? second * 100 : 1000 + (second - 10) * 1000;
    meter.record(bytes, second * 1000);
  }
  assert.equal(meter.rate(), 1000);
  assert.equal(meter.secondsFor(5000), 5);
});

test('no time left is shown before there is something to measure', () => {
  const meter = new RateMeter();
  assert.equal(meter.rate(), 0);
  assert.equal(meter.secondsFor(10), null);
  meter.record(0, 0);
  meter.record(500, 500);
  assert.equal(meter.rate(), 1000);
  assert.equal(meter.secondsFor(10), null);
  meter.record(500, 9000);
  meter.record(500, 18_000);
  assert.equal(meter.secondsFor(10), null);
});

test('bytes that are sent again never make the rate negative', () => {
  const meter = new RateMeter();
  meter.record(0, 0);
  meter.record(4000, 2000);
  meter.record(1000, 2100);
  assert.ok(meter.rate() >= 0);
  meter.record(2000, 3100);
  assert.ok(meter.rate() > 900 && meter.rate() < 2000);
});

test('stall is noticed while something should be sent, and ends with the next byte', () => {
  const watch = new StallWatch(5000);
  watch.record(0, false, 0);
  watch.record(0, false, 20_000);
  assert.equal(watch.isStalled, false);
  watch.record(0, true, 20_000);
  watch.record(0, true, 25_000);
  assert.equal(watch.isStalled, false);
  watch.record(0, true, 25_001);
  assert.equal(watch.isStalled, true);
  watch.record(1, true, 26_000);
  assert.equal(watch.isStalled, false);
});
