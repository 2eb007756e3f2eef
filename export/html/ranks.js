// SPDX-License-Identifier: MIT
// Whether one set of durations is longer than another, by their ranks alone, with the
// same tests and the same bound as `guesttrace diff`: export/run/ranks.c says why.

const RANKS_P = 0.01; // what is taken for a change: a corrected p below that
const EXACT_MAX = 16;

// Chance of a normal variable beyond that, on either side (Abramowitz and Stegun 7.1.26,
// within 1.5e-7, which is far below what decides).
function normalTails(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  return Math.exp(-x * x) * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
}

// Pairs in which the later is longer, a tie counting for half a pair.
function pairsLonger(a, b) {
  let i = 0, k = 0, twice = 0;
  for (const value of b) {
    while (i < a.length && a[i] < value)
      i++;
    while (k < a.length && a[k] <= value)
      k++;
    twice += i + k;
  }
  return twice / 2;
}

// Sum of t^3 - t over the sizes t of groups of equal values.
function tieSum(a, b) {
  let i = 0, j = 0, sum = 0;
  while (i < a.length || j < b.length) {
    const value = j === b.length || (i < a.length && a[i] <= b[j]) ? a[i] : b[j];
    const from = i + j;
    while (i < a.length && a[i] === value)
      i++;
    while (j < b.length && b[j] === value)
      j++;
    const t = i + j - from;
    sum += t ** 3 - t;
  }
  return sum;
}

// The share of all orders of so few that have at most `u` such pairs.
function exactShare(n, m, u) {
  const last = n * m;
  const ways = new Float64Array(last + 1);
  ways[0] = 1;
  for (let i = 1; i <= n; i++) {
    for (let k = last; k >= m + i; k--)
      ways[k] -= ways[k - m - i];
    for (let k = i; k <= last; k++)
      ways[k] += ways[k - i];
  }
  const sum = (to) => ways.subarray(0, to + 1).reduce((all, one) => all + one, 0);
  return sum(u) / sum(last);
}

function chanceOf(a, b, u) {
  const [n, m] = [a.length, b.length];
  const all = n + m, ties = tieSum(a, b), distance = Math.abs(u - (n * m) / 2);
  if (n <= EXACT_MAX && m <= EXACT_MAX && ties === 0)
    return Math.min(1, 2 * exactShare(n, m, Math.floor((n * m) / 2 - distance)));
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)));
  return variance <= 0 || distance <= 0.5 ? 1 : normalTails((distance - 0.5) / Math.sqrt(variance));
}

// The median of all differences, without making them: so many are at most that.
function medianShift(a, b) {
  const upTo = (difference) => {
    let i = 0, number = 0;
    for (const value of b) {
      while (i < a.length && value - a[i] > difference)
        i++;
      number += a.length - i;
    }
    return number;
  };
  const at = (rank) => {
    let low = b[0] - a.at(-1), high = b.at(-1) - a[0];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (upTo(middle) >= rank)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  const pairs = a.length * b.length;
  const below = at(Math.floor((pairs + 1) / 2));
  return pairs % 2 === 0 ? below + Math.trunc((at(pairs / 2 + 1) - below) / 2) : below;
}

// Of two sorted Float64Arrays: { p, shift }.
function compareRanks(a, b) {
  if (a.length === 0 || b.length === 0)
    return { p: 1, shift: 0 };
  return { p: chanceOf(a, b, pairsLonger(a, b)), shift: medianShift(a, b) };
}

// What each of many tests has to be held against (Holm, 1979).
function correctMany(chances) {
  const order = chances.map((p, index) => [p, index]).sort(([a], [b]) => a - b);
  const corrected = [];
  let least = 0;
  order.forEach(([p, index], i) => {
    least = Math.max(least, Math.min(1, p * (chances.length - i)));
    corrected[index] = least;
  });
  return corrected;
}
