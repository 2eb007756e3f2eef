// SPDX-License-Identifier: MIT
// Text and numbers as people read them.

// What a browser would act on or hide: as in export/out/escape.c.
const HIDDEN = new RegExp('[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f'
  + '\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]', 'gu');

// Every text of a guest goes through here before it is shown.
function visible(text) {
  return text.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

const LEVELS = ['unknown', 'error', 'warn', 'info', 'debug', 'trace'];
const STATUSES = ['unset', 'ok', 'error'];
const FLAGS = [
  [1, 'interrupted', 'still open when the guest ended'],
  [2, 'close lost', 'its end was lost: it ends when that was noticed'],
  [4, 'time adjusted', 'a time was moved into its run'],
  [8, 'cut', 'a string was cut'],
  [16, 'evicted', 'ended early: too many spans were open'],
  [32, 'replaced', 'its id was opened again'],
  [64, 'open lost', 'its opening was lost: it starts where it was first seen'],
  [128, 'parent guessed', 'records were lost: its parent may be another'],
];
const INTERRUPTED = 1;
const UNFINISHED = 1 | 2 | 16 | 32 | 64; // not seen from its opening to its close
const ERROR = 2;

const UNITS = [[1e9, 's', 9], [1e6, 'ms', 6], [1e3, 'µs', 3], [1, 'ns', 0]];

function unitOf(ns) {
  return UNITS.find(([size]) => Math.abs(ns) >= size) ?? UNITS[3];
}

// Whole ns in that unit, to so many digits behind the point; the others are cut off.
function decimal(ns, [size, unit, digits], most) {
  const rest = Math.abs(ns) % size;
  const whole = `${ns < 0 ? '-' : ''}${(Math.abs(ns) - rest) / size}`;
  return digits === 0 ? `${whole} ${unit}` : `${whole}.${String(rest).padStart(digits, '0').slice(0, most)} ${unit}`;
}

// 1.643 ms, as export/out/durations.c writes it; none of ns.
function duration(ns) {
  return decimal(ns, unitOf(ns), 3);
}

// When within something that takes `length`: to the ns, and in the same unit for
// all of it, so that two can be compared.
function moment(ns, length) {
  return decimal(ns, unitOf(length), 9);
}

function timeInRun(run, time) {
  return moment(time - run.offset, run.duration_ns);
}

// A place on the axis: in the unit of the view's end, as exact as its step.
function axisTime(ns, step, end) {
  if (ns === 0)
    return '0';
  const [size, unit] = unitOf(end);
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return `${(ns / size).toFixed(Math.min(digits, 9))} ${unit}`;
}

// Whole, with commas; a browser's own takes a hundred times as long, of which a page
// with very many blocks has no time.
function count(number) {
  const digits = String(number);
  return digits.length < 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function plural(number, word) {
  return `${count(number)} ${word}${Number(number) === 1 ? '' : 's'}`;
}

// Bytes and strings may be cut: then the whole's size in bytes comes fourth.
function fieldValue([, type, value, whole]) {
  let text = String(value);
  if (type === 'string')
    text = visible(value);
  else if (type === 'bytes')
    text = Array.from(atob(value), (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
  return whole === undefined ? text : `${text}… (of ${plural(whole, 'byte')})`;
}

// An element: text children become text nodes, and nothing is ever parsed.
function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.startsWith('on'))
      node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== 'string')
      node[name] = value;
    else
      node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// What a guest wrote, in a box of its own direction.
function guestText(text, properties) {
  return element('bdi', properties, visible(text));
}
