/**
 * Figures of the page in Chromium, beside Uppy. Prints a line for each, as the other benchmarks do: a
 * line that ends in MISSED fails the run.
 */
import assert from 'node:assert/strict';
import { get } from 'node:http';

import type { Page } from 'playwright-core';

import { BrokerPage } from '../page/broker-page.js';
import { drop } from '../support/drop.js';
import { Files, MIB } from '../support/files.js';
import { MemoryWatch } from '../support/memory.js';
import { uploadAt } from '../support/proof.js';
import { Site } from '../support/site.js';
import { play, Stage } from '../support/stage.js';
import type { Scene, StageOptions } from '../support/stage.js';
import { until } from '../support/until.js';
import { UppyPage, UPPY_SITE } from '../uppy/uppy-page.js';

const LIMIT_MS = 300_000;

const files = await Files.make();
const site = await Site.start(UPPY_SITE);
const wanted = process.argv.slice(2);
try {
  // Gates would take their part of the processors.
  await run({ direct: true }, { firstLoad, manyFiles, largeFile, smallFiles, manyTabs });
  await run({ settings: { BROKER_CORS_ORIGINS: site.origin } }, { besideUppy });
} finally {
  await site.stop();
  await files.remove();
}

/** Runs those of these benchmarks that are wanted, with a broker and a browser of their own. */
async function run(
  options: StageOptions,
  benchmarks: Record<string, (scene: Scene) => Promise<void>>,
): Promise<void> {
  const chosen = Object.entries(benchmarks).filter(
    ([name]) => wanted.length === 0 || wanted.includes(name),
  );
  if (chosen.length === 0) {
    return;
  }
  const stage = await Stage.start(options);
  try {
    for (const [name, benchmark] of chosen) {
      await play(stage, name, {}, async (scene) => {
        scene.watch.expectStatus(401);
        await benchmark(scene);
      });
    }
  } finally {
    await stage.stop();
  }
}

/** Prints a result. */
function line(name: string, figure: string, limit: string, isReached: boolean): void {
  const result = isReached ? 'ok' : 'MISSED';
  console.log(`${name.padEnd(34)} ${figure.padStart(10)}   ${limit.padEnd(18)} ${result}`);
}

/** The bytes that a browser with gzip loads before the form for the key is shown. */
async function firstLoad(scene: Scene): Promise<void> {
  const { page } = await BrokerPage.open(scene);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const urls = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .map(({ name }) => name.replace(/#.*/, ''))
      .filter((name) => new URL(name).pathname === '/' || name.includes('/assets/')),
  );
  const sizes = await Promise.all([...new Set(urls)].map(compressedSize));
  const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000;
  line('first load, gzip', `${kilobytes.toFixed(1)} KB`, '<= 40 KB', kilobytes <= 40);
}

function compressedSize(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let size = 0;
      response.on('data', (piece: Buffer) => (size += piece.length));
      response.on('end', () => resolve(size));
    }).on('error', reject);
  });
}

/** A folder of 10,000 files is dropped: the page stays quick while it lists them. */
async function manyFiles(scene: Scene): Promise<void> {
  for (let index = 0; index < 10_000; index++) {
    await files.text(`ten-thousand/${index % 100}/file-${index}.txt`, `${index}`);
  }
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/ten-thousand/');
  const { page } = broker;
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { tasks });
    const observer = new PerformanceObserver((list) => {
      tasks.push(...list.getEntries().map(({ duration }) => duration));
    });
    observer.observe({ type: 'longtask' });
  });
  const start = performance.now();
  await drop(broker.zone, [`${files.folder}/ten-thousand`]);
  await page.getByText('of 10,000 files done').waitFor({ timeout: LIMIT_MS });
  const seconds = (performance.now() - start) / 1000;
  const nodes = await page.locator('*').count();
  const tasks = await page.evaluate(() => Reflect.get(window, 'tasks') as number[]);
  const longest = Math.max(0, ...tasks);
  line('10,000 files dropped and listed', `${seconds.toFixed(1)} s`, '<= 15 s', seconds <= 15);
  line('  longest task', `${longest.toFixed(0)} ms`, '<= 200 ms', longest <= 200);
  line('  elements of the page', String(nodes), '<= 1000', nodes <= 1000);
  scene.watch.expectCuts();
  await page.getByRole('button', { name: 'Cancel all' }).click();
}

/** The seconds from the drop of files to their proof. */
async function timeToUpload(broker: BrokerPage, paths: string[], count: number): Promise<number> {
  const start = performance.now();
  await drop(broker.zone, paths);
  await broker.done(count, count, LIMIT_MS);
  return (performance.now() - start) / 1000;
}

/** A file of 121 MiB, with 15 MiB/s for each connection, by the page and by Uppy. */
async function besideUppy(scene: Scene): Promise<void> {
  const file = await files.sized('beside-uppy.bin', 121 * MIB);
  scene.stage.storeGate.speed = 15 * MIB;
  const uppy = await UppyPage.open(scene, site.origin, { mode: 'companionEndpoint' });
  const start = performance.now();
  await uppy.select(file);
  const [end] = await uppy.ends(1, LIMIT_MS);
  const uppySeconds = (performance.now() - start) / 1000;
  assert.ok(end?.key, JSON.stringify(end));
  await uppy.page.close();
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/beside-uppy/');
  const seconds = await timeToUpload(broker, [file], 1);
  const ratio = uppySeconds / seconds;
  line('121 MiB at 15 MiB/s a connection', `${seconds.toFixed(1)} s`, '', true);
  line('  Uppy 6.3.1', `${uppySeconds.toFixed(1)} s`, '', true);
  line('  times as fast as Uppy', ratio.toFixed(2), '>= 2.5', ratio >= 2.5);
}

/** A file of 1 GiB. */
async function largeFile(scene: Scene): Promise<void> {
  const size = 1024 * MIB;
  const file = await files.sized('large.bin', size);
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/large/');
  const memory = await MemoryWatch.start(broker.page);
  const seconds = await timeToUpload(broker, [file], 1);
  const { peak, workers } = memory.stop();
  assert.ok(workers > 0, 'the memory of the worker is not included');
  const rate = 1024 / seconds;
  const megabytes = (peak * MIB) / 1e6;
  const upload = await uploadAt(scene.stage.client(), '/large/large.bin');
  const level = upload?.verification?.level ?? 'none';
  line('1 GiB', `${rate.toFixed(0)} MiB/s`, '>= 40 MiB/s', rate >= 40);
  line('  memory of the scripts', `${megabytes.toFixed(0)} MB`, '<= 50 MB', megabytes <= 50);
  line('  proof', level, 'checksum', level === 'checksum');
}

/** A folder of 200 small files. */
async function smallFiles(scene: Scene): Promise<void> {
  for (let index = 0; index < 200; index++) {
    await files.text(`small/file-${index}.txt`, `the content of ${index}`);
  }
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/small/');
  const seconds = await timeToUpload(broker, [`${files.folder}/small`], 200);
  line('200 small files', `${seconds.toFixed(2)} s`, '<= 2 s', seconds <= 2);
}

/** Eight tabs share one stream of events. When its tab is closed, another one opens it. */
async function manyTabs(scene: Scene): Promise<void> {
  const streams = new Map<Page, number>();
  let opened = 0;
  const first = await BrokerPage.signedIn(scene, '#/browse', true);
  const stored = await first.page.evaluate(() => ({ ...sessionStorage }));
  await first.page.close();
  await scene.context.addInitScript((values) => {
    // A new tab starts with an empty document, which has no storage.
    for (const [name, value] of Object.entries(location.protocol === 'http:' ? values : {})) {
      sessionStorage.setItem(name, value);
    }
  }, stored);
  scene.context.on('response', (response) => {
    if (response.headers()['content-type']?.startsWith('text/event-stream')) {
      const page = response.frame().page();
      streams.set(page, (streams.get(page) ?? 0) + 1);
      opened += 1;
    }
  });
  const tabs: Page[] = [];
  for (let index = 0; index < 8; index++) {
    tabs.push((await BrokerPage.open(scene, '#/browse')).page);
  }
  for (const tab of tabs) {
    await tab.getByText('Live', { exact: true }).waitFor();
  }
  line('streams of eight tabs', String(opened), '= 1', opened === 1);
  const leader = [...streams.keys()][0] ?? assert.fail('no tab has a stream');
  const start = performance.now();
  await leader.close();
  await until('another tab opens the stream', () => opened > 1);
  const seconds = (performance.now() - start) / 1000;
  line('  another tab takes over', `${seconds.toFixed(2)} s`, '<= 2 s', seconds <= 2);
}
