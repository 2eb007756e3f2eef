// SPDX-License-Identifier: MIT
// test-kills.mjs BUILD-DIR [long] [json]: the process is killed at random
// moments (threat F8). What was received, what is in the spool and what is counted as lost
// are together what was produced, and no more is lost than docs/otlp.md says.
import fs from 'node:fs';
import { check, duplicates, end, freshDirectory, freshFile, holds, long, note, produce, same, sleep, startProducer } from './cases.mjs';
import { Receiver } from './receiver.mjs';

const form = process.argv.includes('json') ? { json: true } : { protobuf: true };
const FAST = { ...form, gzip: true, backoff_ms: 20, backoff_max_ms: 200, finish_ms: 10000, timeout_ms: 2000, delay_ms: 20 };
const RATE = 40000;

let seed = 12345;
const random = (n) => { seed = (seed * 1103515245 + 12345) % 2 ** 31; return seed % n; };

function progressOf(file) {
  const bytes = fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
  return bytes.length < 16 ? [0, 0] : [Number(bytes.readBigUInt64LE(0)), Number(bytes.readBigUInt64LE(8))];
}

// Produces into the spool until it is killed: [begun, ended] spans.
async function killed(options) {
  const progress = freshFile();
  const child = startProducer({ ...options, progress, spans: 1e9, rate: RATE });
  while (progressOf(progress)[0] === 0) await sleep(1);
  await sleep(random(random(10) ? 120 : 1500));
  child.kill('SIGKILL');
  await child.ended;
  const made = progressOf(progress);
  fs.unlinkSync(progress);
  return made;
}

// What `spool send` finds: it tries once, and nobody is there.
async function census(options, spool) {
  const found = await produce({ ...options, url: 'http://127.0.0.1:1', spool, send: 1 });
  same(found.damagedSpans, 0, 'damaged');
  return found;
}

const percentile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
function summary(rows, key) {
  const sorted = rows.map((row) => row[key]).sort((a, b) => a - b);
  return `${key} ${sorted[0]} / ${percentile(sorted, 0.5)} / ${sorted.at(-1)}`;
}

async function killOne(receiver, options, mode, batch) {
  const spool = freshDirectory();
  receiver.mode = mode;
  receiver.ids.clear();
  receiver.unanswered = 0;
  const [begun, finished] = await killed({ ...options, spool, batch_spans: batch });
  await receiver.quiet();
  const received = receiver.ids.size;
  const found = await census(options, spool);
  receiver.mode = { kind: 'take' };
  const sent = await produce({ ...options, spool, send: 1, timeout_ms: 30000 });
  same(sent.result, 0, `the result of sending the spool (${sent.lastError})`);
  same(sent.foundAcknowledged, found.foundWaiting, 'sent of what was in the spool');
  same(sent.foundLost, found.foundWaiting ? found.foundLost : 0, 'lost: told until nothing waits');
  same(fs.readdirSync(spool).join(), 'lock', 'what is left in the spool');
  const accounted = receiver.ids.size + found.foundLost;
  check(accounted >= finished && accounted <= begun, `${accounted} accounted for, ${finished} to ${begun} produced`);
  const twice = duplicates(receiver);
  check(twice <= receiver.unanswered + 16 * batch, `${twice} duplicates; ${receiver.unanswered} spans had no whole reply, 16 x ${batch} at most were under way`);
  return { produced: finished, received, spooled: found.foundWaiting, lost: found.foundLost, duplicates: twice };
}

const kills = long ? 300 : 8;
const GROUPS = [
  ['up', () => [{ kind: 'take' }, { kind: 'slow-take', ms: 5 }][random(2)]],
  ['away', () => ({ kind: 'status', status: 503 })],
  ['that resets its replies', () => ({ kind: 'reset-reply', at: random(60) })],
];
for (const [what, mode] of GROUPS) {
  holds(`killed at ${kills} random moments, with an endpoint ${what}: nothing is lost uncounted`, async () => {
    const receiver = await new Receiver().open();
    receiver.sample = 10;
    const rows = [];
    for (let i = 0; i < kills; i++) {
      rows.push(await killOne(receiver, { ...FAST, url: receiver.url, base: i + 1 }, mode(), 50 + random(200)));
    }
    const keys = ['produced', 'received', 'spooled', 'lost', 'duplicates'];
    note(`spans of a run, min / median / max: ${keys.map((key) => summary(rows, key)).join(', ')}`);
    const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
    note(`in all: ${keys.map((key) => `${sum(key)} ${key}`).join(', ')}`);
    check(sum('lost') * 2 <= sum('produced'), 'more was lost than saved');
    await receiver.close();
  });
}

holds('one spool of many killed processes is sent to its end', async () => {
  const receiver = await new Receiver().open();
  const spool = freshDirectory();
  const options = { ...FAST, url: receiver.url, spool };
  let begun = 0;
  let finished = 0;
  for (let i = 0; i < (long ? 40 : 5); i++) {
    receiver.mode = [{ kind: 'take' }, { kind: 'status', status: 503 }][random(2)];
    const made = await killed({ ...options, base: i + 1, batch_spans: 50 + random(200) });
    begun += made[0];
    finished += made[1];
  }
  receiver.mode = { kind: 'take' };
  const sent = await produce({ ...options, send: 1, timeout_ms: 30000 });
  const accounted = receiver.ids.size + sent.foundLost;
  check(accounted >= finished && accounted <= begun, `${accounted} accounted for, ${finished} to ${begun} produced`);
  same(fs.readdirSync(spool).join(), 'lock', 'what is left in the spool');
  await receiver.close();
});
await end();
