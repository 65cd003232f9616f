/**
 * Pages with Uppy, and what a person does with them.
 */
import type { Page } from 'playwright-core';

import type { SitePage } from '../support/site.js';
import type { Scene } from '../support/stage.js';
import { newToken } from '../support/token.js';
import { until } from '../support/until.js';
import type { End, Mode, Options } from './page.js';

const PAGE: SitePage = {
  script: 'tests/browser/uppy/page.ts',
  body: '<input type="file" multiple aria-label="Files" />',
};

/** A page with version 6, and one with version 5. */
export const UPPY_SITE: Record<string, SitePage> = {
  uppy6: PAGE,
  uppy5: { ...PAGE, alias: { '@uppy/core': 'uppy-core-5', '@uppy/aws-s3': 'uppy-aws-s3-5' } },
};

/** The folder that the token of a mode opens. */
export function folderOf(mode: Mode): string {
  return `/${mode}/`;
}

/** A page with Uppy. */
export class UppyPage {
  private constructor(
    readonly scene: Scene,
    readonly page: Page,
  ) {}

  /** Opens a page of the site, with a token for the folder of the mode. */
  static async open(
    scene: Scene,
    origin: string,
    options: Omit<Options, 'url' | 'token'>,
  ): Promise<UppyPage> {
    const { mode } = options;
    const page = await scene.open(`${origin}/${mode === 'endpoint' ? 'uppy5' : 'uppy6'}`);
    const { url } = scene.stage.broker;
    const token = await newToken(scene.stage, { prefix: folderOf(mode) });
    await page.evaluate(
      (all) => {
        const start = Reflect.get(window, 'start') as (options: Options) => void;
        start(all);
      },
      { ...options, url, token },
    );
    return new UppyPage(scene, page);
  }

  async select(...paths: string[]): Promise<void> {
    await this.page.locator('input').setInputFiles(paths);
  }

  /** Waits until this many files have ended. */
  async ends(count: number, limit = 100_000): Promise<End[]> {
    return until(
      `${count} files end`,
      async () => {
        const ends = await this.page.evaluate(() => Reflect.get(window, 'ends') as End[]);
        return ends.length >= count && ends;
      },
      limit,
    );
  }

  /** Calls a method of Uppy. */
  async call(method: 'pauseAll' | 'resumeAll' | 'cancelAll'): Promise<void> {
    await this.page.evaluate((name) => {
      const uppy = Reflect.get(window, 'uppy') as Record<string, () => void>;
      uppy[name]?.();
    }, method);
  }

  /** Waits until the browser has sent this many bytes to the store since the last call. */
  async sent(bytes: number): Promise<void> {
    const { storeGate } = this.scene.stage;
    const start = storeGate.received;
    await until(`${bytes} bytes are sent`, () => storeGate.received - start >= bytes);
  }
}
