/**
 * The page as a person uses it.
 */
import type { Locator, Page } from 'playwright-core';

import type { Scene } from '../support/stage.js';

/** The page in one tab. */
export class BrokerPage {
  constructor(
    readonly scene: Scene,
    readonly page: Page,
  ) {}

  /** Opens the page in a new tab, without a credential. */
  static async open(scene: Scene, fragment = ''): Promise<BrokerPage> {
    return new BrokerPage(scene, await scene.open(`/${fragment}`));
  }

  /** Opens the page in a new tab, and signs in. */
  static async signedIn(scene: Scene, fragment = '', isKept = false): Promise<BrokerPage> {
    // The form asks for a credential, and the broker answers 401 to what the page tries before.
    const page = await BrokerPage.open(scene, fragment);
    await page.signIn(scene.stage.broker.key, isKept);
    await page.page.getByRole('navigation', { name: 'Views' }).waitFor();
    return page;
  }

  async signIn(credential: string, isKept = false): Promise<void> {
    await this.page.getByLabel('API key or token').fill(credential);
    await this.page.getByLabel('Keep it until this tab is closed').setChecked(isKept);
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** Goes to another view without a reload. */
  async goTo(fragment: string): Promise<void> {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, fragment);
  }

  /** The place where files and folders are dropped. */
  get zone(): Locator {
    return this.page.getByRole('region', { name: 'Add files' });
  }

  /** Chooses files with the button. */
  async choose(...paths: string[]): Promise<void> {
    await this.page.getByLabel('Choose files').setInputFiles(paths);
  }

  /** Chooses a folder with the button. */
  async chooseFolder(path: string): Promise<void> {
    await this.page.getByLabel('Choose a folder').setInputFiles(path);
  }

  /** Waits until a file is in this state, in the words of its row. */
  async inState(name: string, state: string, timeout?: number): Promise<void> {
    const row = this.page.locator('.file').filter({ hasText: name });
    await row.locator('.file-state').getByText(state).waitFor({ timeout });
  }

  /** Waits until the page says that this many files are done. */
  async done(count: number, all = count, timeout?: number): Promise<void> {
    const number = (value: number) => value.toLocaleString('en-US');
    const files = `${number(all)} file${all === 1 ? '' : 's'}`;
    const text = `${number(count)} of ${files} done`;
    await this.page.getByRole('region', { name: 'All files' }).getByText(text).waitFor({ timeout });
  }
}
