// SPDX-License-Identifier: MIT
// speedscope.mjs DIRECTORY: opens the exports that tests/end-to-end/test-speedscope made there
// in speedscope, has it save what it read, and compares that with the report.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from './chromium.mjs';
import { lostText, visible } from '../readers/compare.mjs';
import { finish, holds, skipped } from './holds.mjs';

const directory = process.argv[2];
const url = pathToFileURL(join(process.env.BROWSER, 'node_modules/speedscope/dist/release/index.html')).href;
const browser = await launch();

// A slice whose arguments stand at its end only is ended with this remark.
const EXPECTED = /^speedscope v|^Importing|^import: |^Saving |was on the top of the stack. Ending|WebGL|GPU stall|GL Driver/;

// What speedscope has of a file, in its own format, and what it complained of.
async function read(file) {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  const said = [], asked = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('dialog', (dialog) => { said.push(dialog.message()); dialog.dismiss(); });
  page.on('request', (request) => asked.push(request.url()));
  // As its command opens a file.
  const script = `${file}.js`;
  writeFileSync(script, `speedscope.loadFileFromBase64(${JSON.stringify(basename(file))}, `
    + `${JSON.stringify(readFileSync(file).toString('base64'))})`);
  await page.goto(`${url}#localProfilePath=${script}`);
  await page.waitForFunction(() => document.title !== 'speedscope', undefined, { timeout: 20000 })
    .catch(() => assert.fail(`speedscope does not read it: ${said.slice(-2)}`));
  await page.locator('canvas').first().waitFor();
  const download = page.waitForEvent('download');
  await page.keyboard.press('Control+s');
  const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
  await context.close();
  assert.deepEqual(asked.filter((one) => !/^(file|data|blob):/.test(one)), []);
  assert.deepEqual(said.filter((line) => !EXPECTED.test(line)), []);
  return saved;
}

const frames = (saved) => saved.shared.frames.map((frame) => frame.name);
const add = (map, key, value) => map.set(key, (map.get(key) ?? 0) + value);
const sorted = (map) => [...map].sort();

// ---- Folded stacks: the time of each stack, and the whole.

function stacksOf(saved) {
  const names = frames(saved);
  const stacks = new Map(), open = [];
  for (const { events, startValue } of saved.profiles) {
    let last = startValue;
    for (const { type, frame, at } of events) {
      if (at > last)
        add(stacks, open.join(';'), at - last);
      last = at;
      if (type === 'O')
        open.push(names[frame]);
      else
        open.pop();
    }
  }
  return stacks;
}

const folded = (name) => visible(name).replaceAll(';', '\\u{3b}') || '(unnamed)';

// The own time of a span whose close was lost stands apart.
function stackOf(trace, span, isSelf) {
  const names = [], run = folded(trace.guest) + (trace.index ? ` (run ${trace.index + 1})` : '')
    + (trace.partial ? ` (LOST ${lostText(trace.losses, trace.records)})` : '');
  const isLost = isSelf && (span.flags.includes('close_lost') || span.flags.includes('replaced'));
  for (let at = span; at; at = trace.byId.get(at.parent_id))
    names.unshift(folded(at.name));
  return [run, ...names.slice(0, 128), ...names.length > 128 ? ['(deeper than 128 spans)'] : isLost ? ['(end not known)'] : []].join(';');
}

// `ns` of a span; those of no time have no line.
function wantedStacks(traces, ns, isSelf = false) {
  const stacks = new Map();
  for (const trace of traces)
    for (const span of trace.spans)
      if (ns(span) > 0)
        add(stacks, stackOf(trace, span, isSelf), ns(span));
  return stacks;
}

function inExits({ self }) {
  return Object.values(self.exits_ns).reduce((sum, ns) => sum + Number(ns), Number(self.tracing_ns));
}

async function selfTime(path, traces) {
  assert.deepEqual(sorted(stacksOf(await read(path('self.folded')))), sorted(wantedStacks(traces, (span) => Number(span.self_ns), true)));
}

// The report counts time of waiting apart, wherever it was.
async function exitTime(path, traces) {
  const got = stacksOf(await read(path('exits.folded')));
  assert.ok(got.delete(`${traces[0].guest};(no span)`));
  const least = wantedStacks(traces, (span) => inExits(span.split));
  const waiting = wantedStacks(traces, (span) => Number(span.split.self.waiting_ns));
  for (const [stack, ns] of least)
    assert.ok(got.get(stack) >= ns && got.get(stack) <= ns + (waiting.get(stack) ?? 0), `${stack}: ${got.get(stack)} for ${ns}`);
  assert.ok([...got.keys()].every((stack) => least.has(stack) || waiting.has(stack)));
}

// ---- Chrome's JSON: each thread with its slices.

// Arguments are part of a frame's name where they stand at its beginning.
const plain = (name) => name.replace(/ \{"guesttrace\..*$/s, '');
const ns = (microseconds) => Math.round(microseconds * 1000);

// Of a thread: how often each name began, and how long it was there in all.
function slicesOf(saved, profile) {
  const names = frames(saved).map(plain);
  const counts = new Map(), times = new Map(), open = [];
  for (const event of profile.events) {
    if (event.type === 'O') {
      add(counts, names[event.frame], 1);
      open.push(event);
      continue;
    }
    const begun = open.pop();
    assert.equal(begun.frame, event.frame);
    add(times, names[event.frame], ns(event.at) - ns(begun.at));
  }
  assert.equal(open.length, 0);
  return { counts, times };
}

async function threads(path) {
  const saved = await read(path('chrome.json'));
  return new Map(saved.profiles.map((profile) => [profile.name.replace(/ \(pid \d+\)| \(tid \d+\)/g, ''), slicesOf(saved, profile)]));
}

// A guest of one vCPU, on its thread and lanes: all spans are there, as in the report.
async function allSlices(path, [trace]) {
  const got = await threads(path);
  const counts = new Map(), times = new Map();
  for (const span of trace.spans) {
    add(counts, span.name, 1);
    add(times, span.name, Number(span.duration_ns));
  }
  for (const [thread, slices] of got) {
    if (!/, vCPU 0( lane \d+)?$/.test(thread))
      continue;
    for (const [name, count] of slices.counts)
      add(counts, name, -count);
    for (const [name, time] of slices.times)
      add(times, name, -time);
  }
  assert.deepEqual(sorted(counts).filter(([, left]) => left !== 0), []);
  // The times of a profile are doubles, in µs: exact, since they begin with the run.
  assert.deepEqual(sorted(times).filter(([, left]) => left !== 0), []);
  const runs = got.get(`${trace.guest}, vCPU 0 guest runs`), exits = got.get(`${trace.guest}, vCPU 0 exits`);
  assert.equal(runs.counts.get('guest'), Number(trace.host_spans.guest));
  assert.equal([...exits.counts.values()].reduce((a, b) => a + b), Number(trace.host_spans.exit) + Number(trace.host_spans.work));
}

// A file that is not what the report tells has to be noticed.
async function planted(path, name, change, check, traces) {
  const copy = join(directory, `planted-${name}`);
  const text = readFileSync(path(name), 'utf8');
  writeFileSync(copy, change(text));
  assert.notEqual(readFileSync(copy, 'utf8'), text);
  await assert.rejects(check((wanted) => (wanted === name ? copy : path(wanted)), traces),
    (error) => error.code === 'ERR_ASSERTION' && !error.message.includes('does not read it'));
}

// Whether a span of no time has the time of another one's beginning or end.
function hasTie({ spans }) {
  const times = new Map();
  for (const { start_ns, end_ns } of spans) {
    add(times, start_ns, 1);
    add(times, end_ns, 1);
  }
  return spans.some(({ start_ns, duration_ns }) => duration_ns === '0' && times.get(start_ns) > 2);
}

for (const kind of readdirSync(directory).filter((one) => existsSync(join(directory, one, 'report.json')))) {
  const path = (name) => join(directory, kind, name);
  const { traces } = JSON.parse(readFileSync(path('report.json'), 'utf8'));
  for (const trace of traces)
    trace.byId = new Map(trace.spans.map((span) => [span.id, span]));
  await holds(`${kind}: stacks by self time`, () => selfTime(path, traces));
  if (kind === 'sample') // has slices of no time, which speedscope mistakes
    continue;
  if (kind === 'kv')
    await holds(`${kind}: stacks by exits`, () => exitTime(path, traces));
  if (traces.some(hasTie)) {
    skipped(`${kind}: slices, guest runs and exits`, 'a span of no time begins or ends with another, which speedscope mistakes');
    continue;
  }
  await holds(`${kind}: slices, guest runs and exits`, () => allSlices(path, traces));
  if (kind !== 'nested')
    continue;
  await holds('a stack of another time is noticed', () => planted(path, 'self.folded',
    (text) => text.replace(/ (\d+)\n/, ' 1$1\n'), selfTime, traces));
  await holds('a slice of another name is noticed', () => planted(path, 'chrome.json',
    (text) => text.replaceAll('"name":"inner"', '"name":"other"'), allSlices, traces));
}

await browser.close();
finish();
