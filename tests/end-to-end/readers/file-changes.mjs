// SPDX-License-Identifier: MIT
// Changes of the files themselves, by format: each is of one value, or one that the
// format forbids.
import { check } from './compare.mjs';

function replace(bytes, pattern, by) {
  const text = bytes.toString('utf8'), changed = text.replace(pattern, by);
  check(text !== changed, 'nothing to change for', String(pattern));
  return Buffer.from(changed);
}

const short = (bytes) => bytes.subarray(0, bytes.length - 300);

function flip(bytes, text, at = 0) {
  const found = bytes.indexOf(text);
  check(found >= 0, 'nothing to change for', text);
  bytes[found + at] ^= 1;
  return bytes;
}

const controlled = (b) => replace(b, /boot/, 'b\u009bt');
const invalid = (b) => flip(Buffer.concat([b.subarray(0, b.indexOf('boot')), Buffer.from([0xc0]), b.subarray(b.indexOf('boot'))]), 'boot', 0);

export const FILE_CHANGES = {
  perfetto: {
    'cut short': short,
    'another byte of a name': (b) => flip(b, 'handle_request'),
    'another byte of a key': (b) => flip(b, 'u_max'),
  },
  joined: {
    'another reason of an exit': (b) => flip(b, 'exit io'),
  },
  html: {
    'cut short': (b) => b.subarray(0, b.indexOf('"blocks":')),
    'another name': (b) => replace(b, /"boot"/, '"boat"'),
    'another VM': (b) => replace(b, /"vm_id":"vm-id-1"/, '"vm_id":"vm-id-2"'),
    'bytes that are no UTF-8': invalid,
  },
  chrome: {
    'cut short': short,
    'another time': (b) => replace(b, /"ph":"E",(.*)"ts":(\d+)/, '"ph":"E",$1"ts":1$2'),
    'a key twice': (b) => replace(b, /"args":\{"guesttrace.span_id":/, '"args":{"guesttrace.span_id":"","guesttrace.span_id":'),
    'another zero': (b) => replace(b, /("guesttrace.zero_monotonic_ns":")/, '$19'),
    'an arrow to nothing': (b) => replace(b, /"ph":"f",(.*)"id":"0x./, '"ph":"f",$1"id":"0xf'),
    'bytes that are no UTF-8': invalid,
  },
  'otlp-json': {
    'cut short': short,
    'another trace': (b) => replace(b, /"traceId":"41/, '"traceId":"42'),
    'an integer as a number': (b) => replace(b, /"intValue":"(\d+)"/, '"intValue":$1'),
    'another link': (b) => replace(b, /"links":\[\{"traceId":"41/, '"links":[{"traceId":"51'),
    'other flags of a link': (b) => replace(b, /("links":\[.*?"flags":)\d+/, '$17'),
    'another VM': (b) => replace(b, /"vm-id-1"/, '"vm-id-2"'),
    'a stretch of another kind': (b) =>
      replace(b, /("guesttrace.host_span","value":\{"stringValue":)"exit"/, '$1"guest"'),
    'a parent that is missing': (b) =>
      replace(b, /"parentSpanId":"[0-9a-f]+"(,(?:"traceState":"[^"]*",)?"flags":\d+,"kind":1,[^{}]*"name":"exit io")/, '"parentSpanId":"1234567812345678"$1'),
    'a key twice': (b) => replace(b, /"key":"u_max"/, '"key":"u"'),
    'an empty key': (b) => replace(b, /"key":"u_max"/, '"key":""'),
    'bytes that are no UTF-8': invalid,
  },
  'otlp-protobuf': {
    'cut short': short,
    'another trace': (b) => flip(b, 'AHOV]dkr'),
    'another key': (b) => flip(b, 'guesttrace.guest_id', 12),
  },
  csv: {
    'cut short': (b) => b.subarray(0, b.length - 3),
    'a bare quote': (b) => replace(b, /"boot"/, '"bo"ot"'),
    'LF alone': (b) => replace(b, /\r\n/, '\n'),
    'bytes that are no UTF-8': invalid,
    'a control character': controlled,
    'a formula': (b) => replace(b, /"boot"/, '"=boot"'),
    'a key twice': (b) => replace(b, /""u_max"":/, '""u_max"":1,""u_max"":'),
  },
  folded: {
    'another run': (b) => replace(b, /^[^;]+;/, 'run;'),
    'a line less': (b) => b.subarray(b.indexOf('\n') + 1),
    'another time': (b) => replace(b, / (\d+)\n/, ' $17\n'),
    'a control character': controlled,
  },
  exits: {
    'a line less': (b) => b.subarray(b.indexOf('\n') + 1),
    'another time': (b) => replace(b, / (\d+)\n/, ' $17\n'),
  },
  tree: {
    'a line less': (b) => b.subarray(b.indexOf('\n') + 1),
    'a line more': (b) => Buffer.concat([b, b.subarray(b.indexOf('\n') + 1)]),
    'another branch': (b) => replace(b, /├─ handle/, '└─ handle'),
    'one deeper': (b) => replace(b, /├─ handle/, '│  ├─ handle'),
    'another number': (b) => replace(b, / f=0\.1 /, ' f=0.2 '),
    'a control character': controlled,
  },
  report: {
    'a line less': (b) => b.subarray(b.indexOf('\n') + 1),
    'another time in the table': (b) => replace(b, /(by name\n.*\n +\d+ +)\d/, '$17'),
    'a loss less': (b) => replace(b, / 5  records for/, ' 6  records for'),
  },
  ctf: {
    'a stream cut short': ['run_0/vcpu_0', short],
    'another time': ['run_0/vcpu_0', (b) => { b[84] ^= 1; return b; }],
    'another string': ['run_0/vcpu_0', (b) => flip(b, '/etc/hosts')],
    'another port': ['run_0/vcpu_0_host', (b) => flip(b, Buffer.from([0xf8, 3, 0, 0]))],
    'another work': ['run_0/vcpu_0_host', (b) => flip(b, 'fsync')],
    'another name': ['run_0/metadata', (b) => replace(b, /read_block/, 'read_black')],
    'another vm': ['run_0/metadata', (b) => replace(b, /"vm-1"/, '"vm-2"')],
    'another offset': ['run_0/metadata', (b) => replace(b, /offset = (\d)/, 'offset = 1$1')],
    'another number of lost records': ['run_0/vcpu_1', (b) => { b[b.length - 12] ^= 1; return b; }],
    'no metadata': ['run_0/metadata', () => Buffer.alloc(0)],
  },
};
