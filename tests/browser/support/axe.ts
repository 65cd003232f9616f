/**
 * What axe has to say about the accessibility of a page.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails if axe finds a fault in the current state of the page. */
export async function assertAccessible(page: Page, state: string): Promise<void> {
  // As a script of the page it would violate the content security policy.
  await page.evaluate(SOURCE);
  const violations = await page.evaluate(async () => {
    const axe = Reflect.get(window, 'axe') as { run(): Promise<AxeResults> };
    const { violations } = await axe.run();
    return violations.map(({ id, help, nodes }) => {
      return `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`;
    });
  });
  assert.deepEqual(violations, [], `axe about ${state}`);
}
