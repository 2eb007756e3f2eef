// SPDX-License-Identifier: MIT
// From what is selected to its neighbours, for the keys.

const STEPS = { p: -1, n: 1 };

// What lies on the timeline of a vCPU, of which each has a row or lanes.
function layersOf(track) {
  return [track.items, track.host, track.work, track.gaps].filter((items) => items.length > 0);
}

// Of `items` by start, none of which holds another: the one at that time, or the
// next, or the last.
function stretchAt(items, time) {
  return items[lowerBound(items, time, ({ end }) => end - 1)] ?? items.at(-1);
}

const ordered = new WeakSet();

// What is below a span or run, by start.
function inOrder(above) {
  if (!ordered.has(above)) {
    above.below = [...above.below].sort(byStart);
    ordered.add(above);
  }
  return above.below;
}

function besides(item, track) {
  if (item.lost)
    return track.gaps;
  if (item.host)
    return item.host === 'work' ? track.work : track.host;
  return inOrder(item.parent ?? item.run);
}

function below(item, track) {
  if (item.host || item.lost)
    return track.items.find(({ end }) => end > item.start) ?? track.items.at(-1);
  return item.site ? inOrder(item)[0] : undefined;
}

// What the host did then; from there what the VMM worked on, and back.
function hostThen(item, track) {
  const rows = [track.host, track.work].filter((items) => items.length > 0);
  const here = rows.findIndex((items) => items.includes(item));
  return rows.length > 0 ? stretchAt(rows[(here + 1) % rows.length], item.start) : undefined;
}

// Where that key leads: an item, or undefined. With nothing selected, to the first.
function neighbour(key, item, tracks) {
  const at = item ? tracks.findIndex((track) => track.run === item.run && track.vcpu === item.vcpu) : -1;
  if (key === 'v') {
    const next = [...tracks.slice(at + 1), ...tracks.slice(0, at + 1)].find((track) => layersOf(track).length > 0);
    return next && layersOf(next)[0][0];
  }
  if (!item)
    return tracks.flatMap(layersOf)[0]?.[0];
  switch (key) {
    case 'u': return item.parent ?? undefined;
    case 'j': return below(item, tracks[at]);
    case 'h': return hostThen(item, tracks[at]);
    default: {
      const row = besides(item, tracks[at]);
      return row[row.indexOf(item) + STEPS[key]];
    }
  }
}
