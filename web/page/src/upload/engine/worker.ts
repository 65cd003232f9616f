/**
 * The worker in which the engine runs.
 */
import { openMemory } from '../memory/memory.js';
import { Engine } from './engine.js';
import type { Command, Report } from './messages.js';

const post = (report: Report) => self.postMessage(report);
const engine = new Engine(openMemory(), post);

self.addEventListener('message', ({ data }: MessageEvent<Command>) => engine.obey(data));
self.addEventListener('online', () => engine.network.tryAgain());
self.addEventListener('offline', () => engine.ledger.setNetworkError('This device is offline'));
