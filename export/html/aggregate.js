// SPDX-License-Identifier: MIT
// Sums that the data has of all spans, shown or not: by path, by name, by exit.
//
// Columns of a path: name, parent, count, total, self; of a sum of exits: reason,
// port, whether for tracing, name of the spans they were in, count, total, p50, p99,
// max. A name is its row in the run's names, a parent its row among the paths, -1 for
// none. A histogram is of the spans of a name that are finished: bucket, count, and so
// on; there are four buckets for each power of two.

function nameKey({ name, target }) {
  return `${name}\0${target}`;
}

function rowOfName(run, row) {
  const [name, target, count, total, self, p50, p99, max, unfinished] = run.names[row];
  return { run, row, name, target, spans: count, total, self, p50, p99, max, unfinished };
}

// The duration at which a bucket begins, and that of the next.
function bucketBounds(bucket) {
  const from = (at) => Math.ceil((4 + (at & 3)) * 2 ** ((at >> 2) - 2));
  return [bucket === 0 ? 0 : from(bucket), from(bucket + 1)];
}

// Of a name in those runs, by bucket: [bucket, count], from the shortest on.
function histogramOf(runs, key) {
  const counts = new Map();
  for (const run of runs)
    run.names.forEach(([name, target], row) => {
      const flat = run.histograms[row];
      if (!flat || nameKey({ name, target }) !== key)
        return;
      for (let i = 0; i < flat.length; i += 2)
        counts.set(flat[i], (counts.get(flat[i]) ?? 0) + flat[i + 1]);
    });
  return [...counts].sort(([a], [b]) => a - b);
}

// ---- Paths as trees: { name, target, count, total, self, weight, children, parent }

function treeNode(parent, name, target) {
  return { parent, name, target, count: 0, total: 0, self: 0, weight: 0, byKey: new Map(), children: [] };
}

function childOf(node, { name, target }) {
  const key = nameKey({ name, target });
  if (!node.byKey.has(key)) {
    const child = treeNode(node, name, target);
    node.byKey.set(key, child);
    node.children.push(child);
  }
  return node.byKey.get(key);
}

function addTo(node, { count, total, self }) {
  node.count += count;
  node.total += total;
  node.self += self;
}

// Largest first. What was open at the same time side by side is in sum wider than
// what it was called from, which is drawn as wide then. Without recursion: paths are
// up to 256 deep, but a tree of callers may be built by anyone.
function finishTree(root) {
  const order = [root];
  for (let i = 0; i < order.length; i++)
    order.push(...order[i].children);
  for (const node of order.reverse()) {
    node.weight = Math.max(node.total, node.children.reduce((sum, child) => sum + child.weight, 0));
    node.children.sort((a, b) => b.weight - a.weight);
  }
  return root;
}

// All paths of those runs in one tree, below a node of no name.
function treeOfPaths(runs) {
  const root = treeNode(null, '', '');
  for (const run of runs) {
    const nodes = [];
    for (const [row, parent, count, total, self] of run.paths) {
      const [name, target] = run.names[row];
      const node = childOf(parent < 0 ? root : nodes[parent], { name, target });
      addTo(node, { count, total, self });
      nodes.push(node);
    }
  }
  root.total = root.children.reduce((sum, child) => sum + child.total, 0);
  return finishTree(root);
}

function nodesOf(tree) {
  const nodes = [...tree.children];
  for (let i = 0; i < nodes.length; i++)
    nodes.push(...nodes[i].children);
  return nodes;
}

// What a name calls and what calls it, each a tree below that name.
function sandwichOf(tree, key) {
  const found = nodesOf(tree).filter((node) => nameKey(node) === key);
  const [name, target] = key.split('\0');
  const callees = treeNode(null, name, target), callers = treeNode(null, name, target);
  for (const node of found) {
    addTo(callees, node);
    addTo(callers, node);
    const pairs = [[node, callees]];
    for (let i = 0; i < pairs.length; i++) {
      const [from, to] = pairs[i];
      for (const child of from.children) {
        const copy = childOf(to, child);
        addTo(copy, child);
        pairs.push([child, copy]);
      }
    }
    for (let above = node.parent, at = callers; above?.parent; above = above.parent) {
      at = childOf(at, above);
      addTo(at, node);
    }
  }
  return { callees: finishTree(callees), callers: finishTree(callers) };
}

// ---- Spans by name

// The shown spans of each name, in those runs, from the longest on.
class SpansByName {
  constructor(runs) {
    this.runs = runs;
    this.lists = null;
    this.sorted = new Set();
  }

  group() {
    this.lists = new Map();
    const keys = new Map(); // of each site, once
    for (const run of this.runs)
      for (const span of run.spans) {
        if (!keys.has(span.site))
          keys.set(span.site, nameKey(span.site));
        const key = keys.get(span.site);
        if (!this.lists.has(key))
          this.lists.set(key, []);
        this.lists.get(key).push(span);
      }
  }

  of(key) {
    if (!this.lists)
      this.group();
    const list = this.lists.get(key) ?? [];
    if (!this.sorted.has(key)) {
      list.sort((a, b) => b.duration - a.duration);
      this.sorted.add(key);
    }
    return list;
  }

  // The one in the middle of those that were seen from their opening to their close.
  median(key) {
    const whole = this.of(key).filter((span) => !(span.flags & UNFINISHED));
    return whole[whole.length >> 1];
  }
}
