// SPDX-License-Identifier: MIT
// test-refusals.mjs BUILD-DIR: what an endpoint refuses costs only what it refuses
// by itself: nothing that waits for another reason, no neighbour in a request.
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshDirectory, holds, produce, same, start } from './cases.mjs';
import { Receiver } from './receiver.mjs';

const FAST = { backoff_ms: 20, backoff_max_ms: 100, finish_ms: 60000, timeout_ms: 30000, delay_ms: 50 };
const FORMS = [['JSON', { json: true }], ['JSON in gzip', { json: true, gzip: true }],
  ['protobuf', { protobuf: true }], ['protobuf in gzip', { protobuf: true, gzip: true }]];

async function against(mode, test) {
  const receiver = await new Receiver().open();
  receiver.mode = mode;
  try {
    await test(receiver, { ...FAST, url: receiver.url });
  } finally {
    await receiver.close();
  }
}

// What runs left behind for which nobody was there.
async function backlog(runs, options) {
  const spool = freshDirectory();
  let spans = 0;
  for (let base = 1; base <= runs; base++) {
    const stats = await produce({ ...FAST, ...options, url: 'http://127.0.0.1:1/v1/traces', spool, base, spans: 300, batch_spans: 100, finish_ms: 100 });
    same(stats.spooled, stats.spans, 'spans in the spool');
    spans += stats.spans;
  }
  return { spool, spans };
}

const sendSpool = (options, spool) => produce({ ...options, spool, send: 1 });
const refusedFiles = (spool) => fs.readdirSync(path.join(spool, 'refused')).map((name) => path.join(spool, 'refused', name));
const spansOf = (message) => message.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
const number = (span) => Number(span.attributes.find((a) => a.key === 'number')?.value.intValue ?? -1);

const inOrder = (numbers) => numbers.every((n, i) => !i || n > numbers[i - 1]);

// Of these the request is at fault, or so the endpoint says (RFC 9110, 15.5).
const OWN = [400, 413, 415, 422];
// These ask to come again, which a spool waits for (OTLP 1.11).
const LATER = [429, 502, 503, 504];

// Threat F6.
holds('of 300 statuses four take anything from a spool, and what they take is kept', () => against({ kind: 'status' }, async (receiver, options) => {
  const { spool, spans } = await backlog(3, { protobuf: true });
  for (let status = 300; status < 600; status++) {
    if (OWN.includes(status)) continue;
    receiver.mode = { kind: 'status', status };
    // Nothing is tried again, however long the machine takes to notice.
    const patience = LATER.includes(status) ? { finish_ms: 50 } : { finish_ms: 60000, backoff_ms: 10000, backoff_max_ms: 10000 };
    const stats = await sendSpool({ ...options, ...patience }, spool);
    same(stats.foundWaiting, spans, `spans that wait after ${status}`);
    same(stats.foundRejected + stats.foundAcknowledged, 0, `spans that are gone after ${status}`);
    check(stats.result < 0, `the result after ${status}`);
    check(stats.lastError.startsWith(`HTTP ${status}`), `after ${status}: ${stats.lastError}`);
    check(LATER.includes(status) || stats.requests === 1, `${stats.requests} requests after ${status}`);
  }
  receiver.mode = { kind: 'take' };
  const stats = await sendSpool(options, spool);
  same(stats.foundAcknowledged, spans, 'acknowledged at last');
  same(receiver.ids.size, spans, 'received at last');
}));

for (const status of OWN) {
  holds(`what ${status} refuses lies in the folder of the refused, to the last span`, () => against({ kind: 'status', status }, async (receiver, options) => {
    const { spool, spans } = await backlog(1, { protobuf: true });
    const stats = await sendSpool(options, spool);
    same(stats.foundRejected, spans, 'refused');
    same(stats.refusedKept, spans, 'kept');
    same(stats.foundWaiting, 0, 'spans that wait');
    const kept = refusedFiles(spool).flatMap((name) => spansOf(Receiver.decodeFile(name)).map(number));
    same(new Set(kept).size, new Set([...Array(300).keys(), -1]).size, 'different spans in the folder');
    same(kept.length, spans, 'spans in the folder');
  }));
}

for (const [form, how] of FORMS) {
  holds(`a request that is too large comes in parts, without the span that is itself too large: ${form}`, () => against(
    { kind: 'picky', refuses: (request) => (request.spans > 7 || spansOf(request.message).some((s) => number(s) === 123) ? 413 : 0) },
    async (receiver, options) => {
      const spool = freshDirectory();
      const stats = await produce({ ...options, ...how, spool, spans: 500, batch_spans: 200 });
      same(stats.rejected, 1, 'refused');
      same(stats.acknowledged, stats.spans - 1, 'acknowledged');
      same(receiver.ids.size, stats.spans - 1, 'received');
      check([...receiver.ids.values()].every((times) => times === 1), 'a span came twice');
      const numbers = receiver.requests.flatMap((r) => spansOf(r.message).map(number)).filter((n) => n >= 0);
      same(numbers.sort((a, b) => a - b).join(), [...Array(500).keys()].filter((n) => n !== 123).join(), 'the spans');
      check(receiver.requests.every((r) => inOrder(spansOf(r.message).map(number).filter((n) => n >= 0))), 'the spans of a request are in another order');
      const resources = new Set(receiver.requests.map((r) => JSON.stringify([r.message.resourceSpans[0].resource, r.message.resourceSpans[0].scopeSpans[0].scope])));
      same(resources.size, 1, 'resources and scopes');
      const files = refusedFiles(spool);
      same(files.length, 1, 'files of refused spans');
      same(spansOf(Receiver.decodeFile(files[0])).map(number).join(), '123', 'the refused span');
    },
  ));
}

holds('without a spool, too, only the span is lost that is too large by itself', () => against(
  { kind: 'picky', refuses: (request) => (spansOf(request.message).some((s) => number(s) === 9) ? 400 : 0), headers: { 'Content-Type': 'text/plain' }, body: 'body too large' },
  async (receiver, options) => {
    const stats = await produce({ ...options, protobuf: true, spans: 200 });
    same(stats.rejected, 1, 'refused');
    same(stats.acknowledged, stats.spans - 1, 'acknowledged');
    same(receiver.ids.size, stats.spans - 1, 'received');
    same(stats.lastError, 'HTTP 400: body too large', 'the words');
  },
));

holds('what was being sent in parts when the process ended is there whole', () => against(
  { kind: 'picky', refuses: (request) => (request.spans > 3 ? 413 : 503) }, async (receiver, options) => {
    const { spool, spans } = await backlog(1, { protobuf: true });
    const stats = await sendSpool({ ...options, finish_ms: 300 }, spool);
    same(stats.foundWaiting, spans, 'spans that wait');
    receiver.mode = { kind: 'take' };
    same((await sendSpool(options, spool)).foundAcknowledged, spans, 'acknowledged');
    same(receiver.ids.size, spans, 'received');
  },
));

holds('who exports a capture waits as long as replies come', () => against({ kind: 'slow-take', ms: 400 }, async (receiver, options) => {
  const stats = await produce({ ...options, protobuf: true, wait: true, spans: 4000, batch_spans: 20, finish_ms: 2000 });
  same(stats.acknowledged, stats.spans, 'acknowledged');
  same(receiver.ids.size, stats.spans, 'received');
  check(stats.finishMs > 2000, `the end took ${stats.finishMs} ms`);
}));

holds('the command says a refusal at once, and that the spool has what was refused for no fault of its own', () => against({ kind: 'status', status: 401, headers: { 'Content-Type': 'text/plain' }, body: 'who are you?' }, async (receiver) => {
  const { spool, spans } = await backlog(3, { protobuf: true });
  const child = start(path.join(build, 'guesttrace'), ['spool', 'send', '--to', receiver.url, spool]);
  const { status, stdout, stderr } = await child.ended;
  same(status, 1, 'the exit status');
  same(stdout, '0 spans acknowledged\n', 'standard output');
  same(stderr, `guesttrace: OTLP: ${spans} spans wait (HTTP 401: who are you?)\n`, 'standard error');
}));

holds('a warning of an endpoint that takes all is shown', () => against({ kind: 'partial', rejected: 0 }, async (receiver, options) => {
  const stats = await produce({ ...options, protobuf: true, spans: 10 });
  same(stats.acknowledged, stats.spans, 'acknowledged');
  same(stats.lastError, '', 'the error');
  same(stats.lastWarning, 'HTTP 200: some', 'the warning');
}));

await end();
