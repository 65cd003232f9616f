/**
 * Records what goes wrong in the pages of a story: errors in the console, exceptions, requests that
 * fail, and violations of the content security policy.
 */
import assert from 'node:assert/strict';

import type { BrowserContext, Page } from 'playwright-core';

/** Chromium reports each request without an answer in the console. */
const WITHOUT_ANSWER = /^Failed to load resource: net::/;

/** The record of one browser context. */
export class Watch {
  /** Errors of which none may occur, except those that the story expects. */
  readonly errors: string[] = [];
  /** Requests without an answer, and answers from 400 on. */
  readonly failures: string[] = [];
  readonly #expected: RegExp[] = [];

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      if (message.type() === 'error') {
        const place = message.location().url.replace(/\?.*/, '');
        this.errors.push(`${message.text()} (${withoutToken(place)})`);
      }
    });
    context.on('weberror', (error) => this.errors.push(`exception: ${error.error().stack}`));
    context.on('requestfailed', (request) => {
      const url = withoutToken(request.url().replace(/\?.*/, ''));
      this.failures.push(`${request.method()} ${url}: ${request.failure()?.errorText}`);
    });
    context.on('response', (response) => {
      if (response.status() >= 400) {
        const url = withoutToken(response.url().replace(/\?.*/, ''));
        this.failures.push(`${response.request().method()} ${url}: ${response.status()}`);
      }
    });
  }

  /** Also records violations of the content security policy that do not reach the console. */
  async watchPolicy(context: BrowserContext): Promise<void> {
    await context.exposeFunction('reportPolicyViolation', (text: string) => {
      this.errors.push(`content security policy: ${text}`);
    });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = Reflect.get(window, 'reportPolicyViolation') as (text: string) => void;
        report(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
      });
    });
  }

  /** The story makes the browser print such errors. */
  expect(...errors: RegExp[]): void {
    this.#expected.push(...errors);
  }

  /** The broker or the store answers with one of these statuses. Chromium reports it in the console. */
  expectStatus(...statuses: number[]): void {
    const list = statuses.join('|');
    this.expect(new RegExp(`^Failed to load resource: .* status of (${list}) `));
  }

  /** The story cuts the network, or ends requests. Chromium reports it in the console. */
  expectCuts(): void {
    this.expect(WITHOUT_ANSWER);
  }

  /** Fails if there was an error that the story does not expect. */
  assertQuiet(): void {
    const unexpected = this.errors.filter(
      (error) => !this.#expected.some((pattern) => pattern.test(error)),
    );
    assert.deepEqual(unexpected, [], 'the pages printed errors');
  }

  /** Everything, for a person who has to find out what went wrong. */
  report(pages: Page[]): string {
    const lines = pages.map((page) => `page ${withoutToken(page.url())}`);
    lines.push(...this.errors.map((error) => `console: ${error}`));
    lines.push(...this.failures.map((failure) => `network: ${failure}`));
    return lines.join('\n');
  }
}

/** Tokens do not belong in the output of tests. */
function withoutToken(url: string): string {
  return url.replace(/\/t\/[^/]+/, '/t/…').replace(/#.*/, '');
}
