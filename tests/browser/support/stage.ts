/**
 * What a file of tests needs: a broker of its own, gates in front of the broker and its store, and a
 * browser that reaches both through them. A test is a story in a new browser context.
 */
import { after, before, test } from 'node:test';

import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { BrokerClient } from 'upload-broker-client';

import { startBroker } from '../../../web/client/scripts/broker.mjs';
import type { RunningBroker } from '../../../web/client/scripts/broker.mjs';
import { startChromium } from './chromium.js';
import { Gate } from './gate.js';
import { DESKTOP } from './looks.js';
import { BINARY, PICTURES } from './places.js';
import { Watch } from './watch.js';

/** A story that takes longer has hung. */
const STORY_LIMIT_MS = 240_000;

/** What differs between stages. */
export interface StageOptions {
  /** Settings of the broker, as environment variables. */
  settings?: Record<string, string>;
  /** Names of this machine, beside its address, for the browser. */
  hosts?: string[];
  /** Whether the browser reaches the broker and its store directly, not through their gates. */
  direct?: boolean;
  /** More flags of the browser. */
  flags?: string[];
  /** Is called before the broker starts. It returns more settings, such as allowed origins. */
  prepare?: () => Promise<Record<string, string>>;
  /** Is called at the end. */
  cleanUp?: () => Promise<void>;
}

/** The servers and the browser of a file of tests. */
export class Stage {
  private constructor(
    readonly broker: RunningBroker,
    readonly brokerGate: Gate,
    readonly storeGate: Gate,
    readonly browser: Browser,
    readonly options: StageOptions,
  ) {}

  static async start(options: StageOptions): Promise<Stage> {
    const interruption = new AbortController();
    const prepared = await options.prepare?.();
    const settings = { ...options.settings, ...prepared };
    const broker = await startBroker(BINARY, settings, interruption.signal);
    // The broker and its data are removed when the run is interrupted, too.
    process.once('SIGTERM', () => {
      interruption.abort();
      void broker.stop().then(() => process.exit(1));
    });
    try {
      const brokerGate = await Gate.start(broker.url);
      const storeGate = await Gate.start(broker.storeUrl);
      const browser = await startChromium(options.direct ? [] : [brokerGate, storeGate], options);
      return new Stage(broker, brokerGate, storeGate, browser, options);
    } catch (error) {
      await broker.stop();
      throw error;
    }
  }

  /** A client with all rights, which does not use the gates. */
  client(credential: string = this.broker.key): BrokerClient {
    return new BrokerClient({ url: this.broker.url, credential });
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.brokerGate.stop();
    await this.storeGate.stop();
    await this.broker.stop();
    await this.options.cleanUp?.();
  }
}

/** A browser context and what happens in it. */
export class Scene {
  constructor(
    readonly stage: Stage,
    readonly context: BrowserContext,
    readonly watch: Watch,
  ) {}

  /** Opens a page in a new tab. */
  async open(url: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(new URL(url, this.stage.broker.url).href);
    return page;
  }
}

/** Plays a scene in a new context. It fails if the pages print errors. */
export async function play(
  stage: Stage,
  name: string,
  options: BrowserContextOptions,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const context = await stage.browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(60_000);
  const watch = new Watch(context);
  await watch.watchPolicy(context);
  try {
    await body(new Scene(stage, context, watch));
    watch.assertQuiet();
  } catch (error) {
    await explain(context, watch, name);
    throw error;
  } finally {
    // What a story has done to the network does not reach the next one.
    stage.brokerGate.open();
    stage.storeGate.open();
    stage.storeGate.speed = Infinity;
    stage.storeGate.cutAfter();
    await context.close();
  }
}

/** Prints what a person needs to see. */
async function explain(context: BrowserContext, watch: Watch, name: string): Promise<void> {
  const pages = context.pages();
  console.error(`== ${name}\n${watch.report(pages)}`);
  for (const [index, page] of pages.entries()) {
    const path = `${PICTURES}failed-${name.replace(/[^\p{L}\p{N}]+/gu, '-')}-${index + 1}.png`;
    const taken = await page.screenshot({ path, timeout: 5_000 }).then(
      () => path,
      (error: Error) => `no picture: ${error.message}`,
    );
    console.error(`picture: ${taken}`);
  }
}

/** The stories of a file. */
export interface Stories {
  /** The servers and the browser, once they run. */
  readonly stage: Stage;
  /** Registers a test that is played in a new browser context. */
  story(
    name: string,
    body: (scene: Scene) => Promise<void>,
    options?: BrowserContextOptions,
  ): void;
}

/** Starts the stage before the tests of this file, and stops it at the end. */
export function stories(options: StageOptions = {}): Stories {
  let stage: Stage | undefined;
  let hasFailed = false;
  before(async () => {
    stage = await Stage.start(options);
  });
  after(async () => {
    await stage?.stop();
    if (hasFailed) {
      console.error(`The log of the broker:\n${stage?.broker.log.join('')}`);
    }
  });
  const running = (): Stage => {
    if (!stage) {
      throw new Error('the stage is used before it runs');
    }
    return stage;
  };
  return {
    get stage() {
      return running();
    },
    story(name, body, contextOptions = {}) {
      test(name, { timeout: STORY_LIMIT_MS }, async () => {
        hasFailed = true;
        await play(running(), name, contextOptions, body);
        hasFailed = false;
      });
    },
  };
}
