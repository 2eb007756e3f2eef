// SPDX-License-Identifier: MIT
// The colours: those of the style sheet, and which name or target has which.

// Any two that follow each other are far apart, and all from the failures' red.
const HUES = [212, 32, 150, 322, 58, 262, 182, 92, 292, 20, 232, 125];

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const theme = (name) => style.getPropertyValue(`--${name}`).trim();
  const fill = (hue) => `hsl(${hue}, ${theme('fill-saturation')}, ${theme('fill-lightness')})`;
  const fills = HUES.map(fill);
  return {
    background: theme('background'), band: theme('band'), line: theme('line'), text: theme('text'), faint: theme('faint'),
    font: theme('font'), shade: theme('shade'), knob: theme('knob'), graph: theme('graph'), counter: theme('counter'), counterFill: theme('counter-fill'), scrollbar: theme('scrollbar'),
    error: theme('bad'), lost: theme('lost'), match: theme('match'), selected: theme('selected'), block: theme('block'), guest: theme('guest'),
    exit: theme('exit'), arrow: theme('arrow'), range: theme('range'), accent: theme('accent'), traceExit: theme('trace-exit'), work: theme('work'), fills,
    levels: [theme('block'), fill(4), fill(38), fill(212), fill(158), fill(268)],
  };
}

// A number for each name, or target: the longer one of its spans was open, the lower.
function dealNumbers(runs, key) {
  const totals = new Map();
  for (const run of runs)
    for (const [text, ns] of run[key])
      totals.set(text, (totals.get(text) ?? 0) + ns);
  const sorted = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return new Map(sorted.map(([text], number) => [text, number]));
}

// Of what the table of names leaves out any is as good.
function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++)
    value = Math.imul(value ^ text.charCodeAt(i), 16777619) >>> 0;
  return value;
}

class Colours {
  constructor(runs) {
    this.numbers = { name: dealNumbers(runs, 'name_totals'), target: dealNumbers(runs, 'target_totals') };
  }

  // `by`: name, target or level.
  of(site, by, { levels, fills, block }) {
    if (by === 'level')
      return levels[site.level] ?? block;
    return fills[(this.numbers[by].get(site[by]) ?? hash(site[by])) % fills.length];
  }
}
