/**
 * The live stream of events, against a small server that behaves as the contract says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BrokerClient, BrokerError } from 'upload-broker-client';
import type { EventsOptions } from 'upload-broker-client';

import { endAfter, EventsServer, eventOf, openWith, wireOf } from './support/events-server.js';
import type { Answer } from './support/events-server.js';

/** Runs with a server that gives these answers. */
async function withServer(
  answers: Answer[],
  run: (client: BrokerClient, server: EventsServer) => Promise<void>,
): Promise<void> {
  const server = await EventsServer.start(...answers);
  const retry = { delayMs: 1 };
  try {
    await run(new BrokerClient({ url: server.url, credential: 'key', retry }), server);
  } finally {
    await server.stop();
  }
}

/** The sequence numbers and cursors of the next events. */
async function take(client: BrokerClient, count: number, options?: EventsOptions) {
  const taken: [number, string][] = [];
  for await (const { cursor, event } of client.events(options)) {
    assert.deepEqual(event, eventOf(event.sequence));
    taken.push([event.sequence, cursor]);
    if (taken.length === count) {
      break;
    }
  }
  return taken;
}

function problemOf(status: number, code: string, headers = {}): Answer {
  const problem = { type: '', title: '', status, detail: '', instance: '', code, request_id: '' };
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify(problem));
  };
}

/** Waits until the server sees that the client has closed its connections. */
async function allClosed(server: EventsServer): Promise<void> {
  while (server.closed < server.requests.length) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('events are read with the credential until the loop is left', async () => {
  await withServer([openWith(1, 2, 3)], async (client, server) => {
    assert.deepEqual(await take(client, 2), [[1, 'c1'], [2, 'c2']]);
    await allClosed(server);
    assert.deepEqual(server.authorizations, ['Bearer key']);
    assert.deepEqual(server.requests, [
      { url: '/events', lastEventId: undefined, accept: 'text/event-stream' },
    ]);
  });
});

test('events that arrive byte by byte are read whole', async () => {
  const slowly: Answer = async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of Buffer.from(wireOf(1))) {
      response.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await withServer([slowly], async (client) => {
    assert.deepEqual(await take(client, 1), [[1, 'c1']]);
  });
});

test('stream that ends or breaks continues after the last event', async () => {
  const breakAfter2: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // The third event is cut in the middle.
    const text = wireOf(2) + wireOf(3).slice(0, 40);
    response.write(text, () => response.destroy());
  };
  const cut: Answer = (response) => response.destroy();
  await withServer([endAfter(1), breakAfter2, cut, openWith(3)], async (client, server) => {
    assert.deepEqual(await take(client, 3), [[1, 'c1'], [2, 'c2'], [3, 'c3']]);
    const positions = server.requests.map(({ lastEventId }) => lastEventId);
    assert.deepEqual(positions, [undefined, 'c1', 'c2', 'c2']);
  });
});

test('stream continues after a position that came without an event', async () => {
  const quiet: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`${wireOf(1)}: open\nid: c7\n\nid: c8\n`);
  };
  await withServer([quiet, openWith(2)], async (client, server) => {
    assert.deepEqual(await take(client, 2), [[1, 'c1'], [2, 'c2']]);
    assert.equal(server.requests[1]?.lastEventId, 'c7');
  });
});

test('state of the connection is reported with the position', async () => {
  await withServer([endAfter(1), openWith(2)], async (client) => {
    const states: [boolean, string][] = [];
    const onConnection = (isOpen: boolean, cursor: string) => states.push([isOpen, cursor]);
    await take(client, 2, { onConnection });
    assert.deepEqual(states, [[true, 'c1'], [false, 'c1'], [true, 'c2']]);
  });
});

test('end of a stream is no event, and its delay is waited for; a reset is reported', async () => {
  const ending: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const reset = 'id: c0\nevent: reset\ndata: {"reason":"restored"}\n\n';
    response.end(`${reset}retry: 300\nid: c0\nevent: end\ndata: {"reason":"stop"}\n\n`);
  };
  await withServer([ending, openWith(1)], async (client) => {
    const started = Date.now();
    let resets = 0;
    const onReset = () => (resets += 1);
    assert.deepEqual(await take(client, 1, { onReset }), [[1, 'c1']]);
    assert.equal(resets, 1);
    assert.ok(Date.now() - started >= 300, `${Date.now() - started} ms`);
  });
});

test('silent connection is replaced', async () => {
  // On a busy machine, a connection may be replaced more than once.
  const next: Answer = (response, request) => {
    openWith(request.headers['last-event-id'] === 'c1' ? 2 : 1)(response, request);
  };
  await withServer([next], async (client, server) => {
    assert.deepEqual(await take(client, 2, { silenceMs: 200 }), [[1, 'c1'], [2, 'c2']]);
    await allClosed(server);
    assert.ok(server.requests.length >= 2);
  });
});

test('overloaded broker is asked again after the time that it names', async () => {
  const overloaded = problemOf(503, 'overloaded', { 'retry-after': '1' });
  await withServer([overloaded, openWith(1)], async (client) => {
    const started = Date.now();
    await take(client, 1);
    assert.ok(Date.now() - started >= 1000);
  });
});

test('credential that is no longer valid ends the stream with the error', async () => {
  await withServer([endAfter(1), problemOf(401, 'unauthenticated')], async (client) => {
    await assert.rejects(take(client, 2), (error) => {
      return error instanceof BrokerError && error.status === 401;
    });
  });
});

test('abort ends the stream with the reason and closes the connection', async () => {
  await withServer([openWith(1)], async (client, server) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(take(client, 2, { signal: controller.signal }), /enough/);
    await allClosed(server);
  });
});

test('stream starts where the caller says, for one upload or with filters', async () => {
  await withServer([openWith(1)], async (client, server) => {
    await take(client, 1, { after: 'c0', prefix: '/in & out/', type: ['a', 'b'] });
    await take(client, 1, { uploadId: eventOf(1).upload_id });
    assert.deepEqual(
      server.requests.map(({ url, lastEventId }) => [url, lastEventId]),
      [
        ['/events?prefix=%2Fin+%26+out%2F&type=a&type=b', 'c0'],
        [`/uploads/${eventOf(1).upload_id}/events`, undefined],
      ],
    );
  });
});
