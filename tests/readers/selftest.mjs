// SPDX-License-Identifier: MIT
// selftest.mjs DIRECTORY: shows that each comparison can fail. DIRECTORY is what
// tests/export_sample.c writes. Each time one thing is changed, in the file or
// in the report; the comparison has to say so in one line with status 1.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { check, run } from './compare.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const COMPARISONS = {
  'compare-perfetto.mjs': ['trace.perfetto'],
  'compare-chrome.mjs': ['trace.json'],
  'compare-otlp.mjs': ['otlp.jsonl'],
  'compare-otlp.mjs protobuf': ['otlp.pb'],
  'compare-text.mjs': ['spans.csv', 'folded.txt'],
  'compare-ctf.py': ['ctf'],
};

const plus1 = (object, key) => { object[key] = String(BigInt(object[key]) + 1n); };
const withFields = (trace) => trace.spans.find((s) => s.fields.some(([k]) => k === 'u'));
const field = (span, key) => span.fields.find(([k]) => k === key);

// Each changes a report; the texts do not know events, links or lines.
const REPORT_CHANGES = {
  'a later end': ([t]) => { plus1(t.spans[2], 'end_ns'); plus1(t.spans[2], 'duration_ns'); },
  'an earlier start': ([t]) => { t.spans[2].start_ns = String(BigInt(t.spans[2].start_ns) - 1n); },
  'another name': ([t]) => { t.spans[3].name += 'x'; },
  'one span too many': ([t]) => { t.spans.push({ ...t.spans[3], id: 'ffffffffffffffff' }); },
  'one span too few': ([t]) => { t.spans.splice(t.spans.length - 1, 1); },
  'another parent': ([t]) => { t.spans.find((s) => s.name === 'read_block').parent_id = t.spans[0].id; },
  'another integer': ([t]) => { field(withFields(t), 'u')[2] = '8'; },
  'another string': ([t]) => { field(withFields(t), 'path')[2] += '/'; },
  'other bytes': ([t]) => { field(withFields(t), 'raw')[2] = 'AAAA'; },
  'another status': ([t]) => { t.spans.find((s) => s.status === 'ok').status = 'error'; },
  'one flag more': ([t]) => { t.spans[0].flags.push('evicted'); },
};
const EVENT_CHANGES = {
  'one event too few': ([t]) => { t.events.pop(); },
  'an event later': ([t]) => { plus1(t.events[0], 'time_ns'); },
  'an event with another field': ([t]) => { t.events[0].fields[0][2] = '9'; },
  'one counter too few': ([t]) => { t.counters.pop(); },
};

// Each changes the file itself.
const FILE_CHANGES = {
  'trace.perfetto': {
    'cut short': (b) => b.subarray(0, b.length - 300),
    'another byte of a name': (b) => { b[b.indexOf('handle_request')] ^= 1; return b; },
  },
  'trace.json': {
    'cut short': (b) => b.subarray(0, b.length - 300),
    'another time': (b) => replace(b, /"ph":"E",(.*)"ts":(\d+)/, '"ph":"E",$1"ts":1$2'),
  },
  'otlp.jsonl': {
    'cut short': (b) => b.subarray(0, b.length - 300),
    'another trace': (b) => replace(b, /"traceId":"41/, '"traceId":"42'),
    'an integer as a number': (b) => replace(b, /"intValue":"(\d+)"/, '"intValue":$1'),
    'another link': (b) => replace(b, /"links":\[\{"traceId":"41/, '"links":[{"traceId":"51'),
    'other flags of a link': (b) => replace(b, /("links":\[.*?"flags":)\d+/, '$17'),
    'another VM': (b) => replace(b, /"vm-id-1"/, '"vm-id-2"'),
    'a stretch of another kind': (b) =>
      replace(b, /("guesttrace.host_span","value":\{"stringValue":)"exit"/, '$1"guest"'),
    'a parent that is missing': (b) =>
      replace(b, /"parentSpanId":"[0-9a-f]+"(,"flags":\d+,"kind":1,[^{}]*"name":"exit io")/, '"parentSpanId":"1234567812345678"$1'),
    'a key twice': (b) => replace(b, /"key":"u_max"/, '"key":"u"'),
  },
  'otlp.pb': {
    'cut short': (b) => b.subarray(0, b.length - 300),
    'another trace': (b) => { b[b.indexOf('AHOV]dkr')] ^= 1; return b; },
    'another key': (b) => { b[b.indexOf('guesttrace.guest_id') + 12] ^= 1; return b; },
  },
  'spans.csv': {
    'cut short': (b) => b.subarray(0, b.length - 3),
    'a bare quote': (b) => replace(b, /"boot"/, '"bo"ot"'),
    'LF alone': (b) => replace(b, /\r\n/, '\n'),
  },
  ctf: {},
  'folded.txt': {
    'a line less': (b) => b.subarray(b.indexOf('\n') + 1),
    'another time': (b) => replace(b, / (\d+)\n/, ' $17\n'),
  },
};

function replace(bytes, pattern, by) {
  const text = bytes.toString('utf8'), changed = text.replace(pattern, by);
  check(text !== changed, 'nothing to change for', String(pattern));
  return Buffer.from(changed);
}

function compare(script, dir) {
  const files = [...COMPARISONS[script], 'report.json'].map((name) => path.join(dir, name));
  const program = path.join(here, script.split(' ')[0]);
  return program.endsWith('.py') ? spawnSync(program, files, { encoding: 'utf8' })
    : spawnSync(process.execPath, [program, ...files], { encoding: 'utf8' });
}

await run('selftest.mjs DIRECTORY', (dir) => {
  const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'readers-'));
  const report = fs.readFileSync(path.join(dir, 'report.json'));
  let count = 0;
  const expectFailure = (script, what) => {
    const { status, stdout, stderr } = compare(script, tmp);
    check(status === 1 && /^.+\n$/.test(stdout) && !stderr, `${script}, ${what}: status ${status},`,
      JSON.stringify(stdout + stderr));
    count++;
  };
  try {
    for (const [script, files] of Object.entries(COMPARISONS)) {
      for (const name of files) fs.cpSync(path.join(dir, name), path.join(tmp, name), { recursive: true });
      const changes = script === 'compare-text.mjs' ? REPORT_CHANGES : { ...REPORT_CHANGES, ...EVENT_CHANGES };
      for (const [what, change] of Object.entries(changes)) {
        const { traces } = JSON.parse(report);
        change(traces);
        fs.writeFileSync(path.join(tmp, 'report.json'), JSON.stringify({ traces }));
        expectFailure(script, what);
      }
      fs.writeFileSync(path.join(tmp, 'report.json'), report);
      for (const name of files) for (const [what, change] of Object.entries(FILE_CHANGES[name])) {
        fs.writeFileSync(path.join(tmp, name), change(fs.readFileSync(path.join(dir, name))));
        expectFailure(script, what);
        fs.copyFileSync(path.join(dir, name), path.join(tmp, name));
      }
      const { status, stdout } = compare(script, tmp);
      check(status === 0, `${script} fails unchanged: ${stdout}`);
    }
  } finally {
    fs.rmSync(tmp, { recursive: true });
  }
  return `${count} changes were noticed`;
});
