// SPDX-License-Identifier: MIT
// What is typed to search: words that all have to hold.
//
//   word  "two words"   a part of anything that the panel shows
//   /re/  /re/i         the same, as a regular expression
//   op=get bytes>100    a field, by name; also name, target, level, status, vcpu, file,
//   status=error        line, function, id, duration, self
//   >100us  <2.5ms      the duration
//   -word               it does not hold

const TIMES = { ns: 1, us: 1e3, 'µs': 1e3, ms: 1e6, s: 1e9 };
const WORDS = /-?\/(?:[^/\\\s]|\\.)+\/i?(?=\s|$)|(?:[^\s"]|"[^"]*")+/g;
const COMPARED = /^([^=<>!]*)(!=|<=|>=|=|<|>)(.*)$/s;

// 1.5ms in ns; a number alone as it is; else NaN.
function numberWithUnit(text) {
  const [, number, unit] = text.match(/^(-?\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s)?$/) ?? [];
  return number === undefined ? NaN : Number(number) * (TIMES[unit] ?? 1);
}

function holdsBetween(value, operator, wanted) {
  switch (operator) {
    case '<': return value < wanted;
    case '>': return value > wanted;
    case '<=': return value <= wanted;
    case '>=': return value >= wanted;
    case '!=': return value !== wanted;
    default: return value === wanted;
  }
}

// ---- What an item says

function kindText(item) {
  if (item.lost)
    return item.lost;
  if (item.host)
    return `${stretchTitle(item)}${item.port ? ` port ${item.port} 0x${item.port.toString(16)}` : ''}${item.tracing ? ' tracing' : ''}`;
  return '';
}

// Sites are few, and have what many items say: each has a number of its own.
function siteText(site) {
  site.text ??= [site.name, visible(site.name), site.target, LEVELS[site.level], site.file ? `${site.file}:${site.line}` : '', site.inFunction ?? ''].join('\n');
  return site.text;
}

// Whether it holds of a site's text, asked once of each.
function ofSites(holds) {
  const known = []; // by number
  return (site) => (known[site.number] ??= holds(siteText(site)));
}

// Of a span, an event, or what the host did; that of its site is apart.
function ownText(item) {
  if (!item.site)
    return kindText(item);
  const parts = [fieldsText(item.more?.fields ?? item.fields ?? NONE)];
  if (item.id !== undefined) {
    const { more, run } = item;
    parts.push(item.id, more.trace || run.trace_id, STATUSES[item.status], more.message ?? '', more.remote_parent ?? '');
    if (more.links)
      parts.push(...more.links.map(([trace, id]) => `${trace} ${id}`));
    for (const event of item.events)
      parts.push(siteText(event.site), fieldsText(event.fields));
  }
  if (item.flags)
    parts.push(FLAGS.filter(([bit]) => item.flags & bit).map(([, word]) => word).join(' '));
  return parts.join('\n');
}

function textOf(item) {
  item.text ??= ownText(item);
  return item.text;
}

function haystack(item) {
  item.haystack ??= textOf(item).toLowerCase();
  return item.haystack;
}

const PROPERTIES = {
  name: ({ site }) => site?.name, target: ({ site }) => site?.target, level: ({ site }) => LEVELS[site?.level],
  file: ({ site }) => site?.file, line: ({ site }) => site?.line, function: ({ site }) => site?.inFunction,
  status: ({ status }) => STATUSES[status], vcpu: ({ vcpu }) => vcpu, id: ({ id }) => id, duration: (item) => item.duration,
  self: (item) => item.self, run: ({ run }) => run.guest, port: ({ port }) => port || undefined, waiting: (item) => item.waiting,
};

const lowerNames = new Map();

function isNamed([name], key) {
  let lower = lowerNames.get(name);
  if (lower === undefined)
    lowerNames.set(name, lower = name.toLowerCase());
  return lower === key;
}

// Its own of that name, or else of the first of its events that has it.
function fieldOf(item, key) {
  for (const field of item.more?.fields ?? item.fields ?? NONE)
    if (isNamed(field, key))
      return field;
  for (const { fields } of item.events ?? NONE)
    for (const field of fields)
      if (isNamed(field, key))
        return field;
  return undefined;
}

function compares(key, operator, text) {
  const number = numberWithUnit(text);
  const lower = text.toLowerCase();
  const judge = (value) => {
    if (value === undefined || value === null)
      return false;
    if (!Number.isNaN(number) && key !== 'id' && Number.isFinite(Number(value)))
      return holdsBetween(Number(value), operator, number);
    return holdsBetween(String(value).toLowerCase(), operator, lower);
  };
  return (item) => {
    const field = key ? fieldOf(item, key) : undefined;
    if (field !== undefined)
      return judge(field[1] === 'bytes' ? fieldValue(field) : field[2]);
    return judge(key ? Object.hasOwn(PROPERTIES, key) ? PROPERTIES[key](item) : undefined : item.duration);
  };
}

// ---- Words to a condition

function contains(word) {
  const needle = word.toLowerCase();
  const inSite = ofSites((text) => text.toLowerCase().includes(needle));
  return (item) => (item.site !== undefined && inSite(item.site)) || haystack(item).includes(needle);
}

// On each text by itself, which is a line: where all of them together match, one may.
function matches(source, flags) {
  const pattern = new RegExp(source, `${flags}mu`);
  const whole = !source.includes('(?'); // what looks around may see the next text
  const holds = (text) => (!whole || pattern.test(text)) && text.split('\n').some((line) => pattern.test(line));
  const inSite = ofSites(holds);
  return (item) => (item.site !== undefined && inSite(item.site)) || holds(textOf(item));
}

// `known(key)`: whether any item has a field or property of that name.
function conditionOf(word, known) {
  if (word.length > 1 && word.startsWith('-') && Number.isNaN(numberWithUnit(word))) {
    const not = conditionOf(word.slice(1), known);
    return (item) => !not(item);
  }
  const [, source, flags] = word.match(/^\/(.+)\/(i?)$/s) ?? [];
  if (source)
    return matches(source, flags);
  const plain = word.replaceAll('"', '');
  const [, key, operator, value] = plain.match(COMPARED) ?? [];
  if (operator && value !== '') {
    const lower = key.toLowerCase();
    if (key === '' ? /[<>]/.test(operator) && !Number.isNaN(numberWithUnit(value)) : known(lower))
      return compares(lower, operator, value);
  }
  return contains(plain);
}

// All that is written of it asks for how long something took, or where: of what the
// host did, which never ends, that would find more than anybody wants.
const GENERAL = /^(-.*|(duration|vcpu|run|self)?(!=|<=|>=|=|<|>).*)$/s;

// What has no more meaning than its letters.
function isPlain(word) {
  return !/[-=<>!/"]/.test(word);
}

// A test of an item, and `narrows(other)`: whether all it holds of is among what `other`
// holds of. Null: nothing is asked. Throws where a regular expression is none.
function parseQuery(text, known) {
  const words = text.match(WORDS);
  if (!words)
    return null;
  const conditions = words.map((word) => conditionOf(word, known));
  const ofHost = words.some((word) => !GENERAL.test(word));
  const holds = conditions.length === 1 ? conditions[0] : (item) => conditions.every((one) => one(item));
  const plain = words.filter(isPlain).map((word) => word.toLowerCase());
  return {
    holds: ofHost ? holds : (item) => !item.host && holds(item),
    words, plain,
    narrows: (other) => other.plain.length === other.words.length && other.plain.every((word) => plain.some((one) => one.includes(word))),
  };
}

function hasExpression(text) {
  return (text.match(WORDS) ?? NONE).some((word) => /^-*\/.+\/i?$/s.test(word));
}

// The names that can be compared in those runs.
function knownKeys(runs) {
  let keys;
  const add = (fields) => {
    for (const [name] of fields)
      keys.add(name);
  };
  return (key) => {
    if (!keys) {
      keys = new Set(Object.keys(PROPERTIES));
      for (const run of runs) {
        run.spans.forEach(({ more }) => more.fields && add(more.fields));
        run.events.forEach(({ fields }) => add(fields));
      }
      keys = new Set([...keys].map((name) => name.toLowerCase()));
    }
    return keys.has(key);
  };
}
