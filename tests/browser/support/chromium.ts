/**
 * Starts the browser: Debian's Chromium, or the one that CHROMIUM names, with a new profile.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

import type { Gate } from './gate.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = [
  // The tests may run as root, and in containers with a small /dev/shm.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  // Nothing that the tests did not ask for is on the network.
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the program. */
export function findChromium(): string {
  const named = process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = named ?? candidates.find(isExecutable);
  if (!found) {
    throw new Error('Chromium is missing: install the package chromium, or set CHROMIUM to its path');
  }
  return found;
}

/** Starts the browser. What lies behind a gate is reached through it. `hosts` are names of this machine. */
export async function startChromium(
  gates: Gate[],
  { flags = [], hosts = [] }: { flags?: string[]; hosts?: string[] } = {},
): Promise<Browser> {
  const rules = [
    ...gates.map((gate) => gate.rule),
    ...hosts.map((host) => `MAP ${host} 127.0.0.1`),
  ].join(',');
  const args = [...FLAGS, ...flags, ...(rules ? [`--host-resolver-rules=${rules}`] : [])];
  // Without a locale, as on a bare system, Chromium cannot read files whose names are not ASCII.
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  return chromium.launch({ executablePath: findChromium(), args, env });
}
