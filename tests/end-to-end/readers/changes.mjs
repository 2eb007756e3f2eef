// SPDX-License-Identifier: MIT
// One change for each kind of thing that a report says (and of what was told of the
// host): each member of each object, each type of field, one item more and one less.

// Where a change shows at all: a message of a span that failed, say.
const PREFERRED = {
  level: (s) => s.level === 'warn' || s.level === 'error',
  status: (s) => s.status !== 'unset',
  status_message: (s) => s.status === 'error',
  parent_id: (s) => s.parent_id !== null,
  duration_ns: (s) => s.flags.length === 0,
  port: (s) => s.kind === 2 && s.reason === 1,
  tracing: (s) => s.kind === 2,
  reason: (s) => s.kind === 2,
  name: (s) => s.kind === undefined || s.kind === 3,
  losses: (t) => t.index === 0,
};

function another(value) {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (value === null) return '1122334455667788';
  if (/^-?\d+$/.test(value)) return String(BigInt(value) + 1n);
  return /^[0-9a-f]+$/.test(value) ? value.replace(/.$/, (c) => c === '1' ? '2' : '1') : `${value}x`;
}

const VALUES = {
  f64: () => 0.25,
  pointer: (v) => `0x${(BigInt(v) ^ 1n).toString(16)}`,
  bytes: () => 'AAAA',
};

function* changesOfFields(where, items) {
  const types = new Map();
  for (const { fields } of items)
    fields.forEach((f, i) => {
      // Of equal keys only the last one is seen everywhere.
      if (fields.every(([key], j) => j <= i || key !== f[0])) types.set(f[1], [fields, i]);
    });
  for (const [type, [fields, i]] of types) {
    const [key, , value] = fields[i];
    const set = (to) => () => { const old = fields[i]; fields[i] = to; return () => { fields[i] = old; }; };
    yield [`${where}.fields: ${type}`, set([key, type, (VALUES[type] ?? another)(value)])];
    yield [`${where}.fields: key`, set([`${key}x`, type, value])];
    if (type === 'u64') yield [`${where}.fields: type`, set([key, 'pointer', `0x${BigInt(value).toString(16)}`])];
  }
  yield* changesOfList(`${where}.fields`, items.find((i) => i.fields.length), 'fields');
}

function* changesOfList(where, owner, key) {
  if (!owner) return;
  const set = (to) => () => { const old = owner[key]; owner[key] = to; return () => { owner[key] = old; }; };
  yield [`${where}: one less`, set(owner[key].slice(0, -1))];
}

function* changesOfMembers(where, items) {
  for (const key of Object.keys(items[0])) {
    const plain = items.filter((i) => key in i && (typeof i[key] !== 'object' || i[key] === null));
    const suited = plain.filter(PREFERRED[key] ?? (() => true));
    const item = suited.find((i) => i[key] && i[key] !== '0') ?? suited[0] ?? plain[0];
    if (!item) continue;
    yield [`${where}.${key}`, () => {
      const old = item[key];
      item[key] = another(old);
      return () => { item[key] = old; };
    }];
  }
}

/** [what, change]: change() makes it in place and returns what undoes it. */
export function* changesOf(traces, host) {
  const spans = traces.flatMap((t) => t.spans);
  const inSpans = spans.filter((s) => s.dropped_events === '0').flatMap((s) => s.events);
  yield* changesOfMembers('trace', traces);
  yield* changesOfMembers('trace.losses', traces.filter((t) => t.index === 0).map((t) => t.losses));
  yield* changesOfMembers('trace.split', traces.map((t) => t.split));
  yield* changesOfMembers('trace.split.exits', traces.map((t) => t.split.exits_ns).filter((exits) => Object.keys(exits).length));
  yield* changesOfMembers('trace.clock', traces.map((t) => t.clock));
  for (const [where, items] of [['span', spans], ['event', traces.flatMap((t) => t.events)],
    ['event of a span', inSpans], ['counter', traces.flatMap((t) => t.counters)]]) {
    yield* changesOfMembers(where, items);
    yield* changesOfFields(where, items);
    yield [`${where}.flags`, () => { items[0].flags.push('evicted'); return () => items[0].flags.pop(); }];
  }
  const linked = spans.find((s) => s.links.length);
  yield* changesOfMembers('link', linked.links);
  yield* changesOfList('span.links', linked, 'links');
  yield* changesOfList('trace.lost_records', traces.find((t) => t.lost_records), 'lost_records');
  for (const key of ['spans', 'events', 'counters', 'names'])
    yield* changesOfList(`trace.${key}`, traces[0], key);
  yield* changesOfMembers('name', traces.flatMap((t) => t.names));
  const gaps = traces.flatMap((t) => t.gaps);
  yield* changesOfMembers('gap', gaps);
  yield* changesOfList('trace.gaps', traces.find((t) => t.gaps.length), 'gaps');
  yield* changesOfMembers('stretch', host);
  yield ['stretch: one less', () => { const last = host.pop(); return () => host.push(last); }];
}
