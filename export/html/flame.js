// SPDX-License-Identifier: MIT
// The flame graph: all spans summed up by path, the largest to the left; and of one
// name what calls it and what it calls. Its boxes are buttons, in rows.

const BOX_WIDTH = 3; // px: narrower ones are not drawn
const BOXES = 700;

class FlameGraph {
  constructor(runs, colourOf, actions) {
    Object.assign(this, { runs, colourOf, actions, chosen: runs, key: null, focus: null, tree: null, lit: '' });
  }

  // Of that name, what is above and below it; of none, all paths.
  show(key) {
    this.key = key;
    this.focus = null;
  }

  // For the address: of which name, of which run, and the names down to what fills the width.
  state() {
    const way = [];
    for (let node = this.focus; node?.parent; node = node.parent)
      way.unshift(nameKey(node));
    const run = this.chosen.length === 1 && this.runs.length > 1 ? this.chosen[0].index : -1;
    return this.key === null && run < 0 && way.length === 0 ? [] : [this.key, run, ...way];
  }

  restore([key, run, ...way]) {
    const one = runAt(this.runs, run), chosen = one ? [one] : this.runs;
    if (chosen.length !== this.chosen.length || chosen[0] !== this.chosen[0])
      Object.assign(this, { chosen, tree: null });
    this.show(null);
    if (typeof key !== 'string' && way.length === 0)
      return;
    this.tree ??= treeOfPaths(this.chosen);
    if (nodesOf(this.tree).some((node) => nameKey(node) === key))
      this.key = key;
    for (const root of this.parts().map((part) => part.root))
      this.focus ??= way.reduce((node, name) => node?.byKey.get(name), root) ?? null;
    if (this.focus && !this.focus.parent)
      this.focus = null;
  }

  draw(panel) {
    this.panel = panel;
    this.tree ??= treeOfPaths(this.chosen);
    this.boxes = element('div', { class: 'flame', role: 'group', 'aria-label': 'Paths, each as wide as its time', onkeydown: (event) => this.move(event) });
    panel.replaceChildren(this.toolbar(), this.boxes, this.leftOut());
    this.fill();
  }

  toolbar() {
    const choose = (value) => {
      this.chosen = value === 'all' ? this.runs : [this.runs[Number(value)]];
      this.tree = this.focus = null;
      this.draw(this.panel);
    };
    const names = [...new Map(nodesOf(this.tree).map((node) => [nameKey(node), node])).values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const keys = names.map(nameKey);
    const option = (value, text, selected) => element('option', { value, selected }, text);
    return element('div', { class: 'bar-of-tools' },
      this.runs.length > 1 ? element('label', {}, 'Run ', element('select', { onchange: ({ target }) => choose(target.value) },
        option('all', 'all', this.chosen.length > 1),
        ...this.runs.map((run, i) => option(String(i), visible(run.guest), this.chosen.length === 1 && this.chosen[0] === run)))) : null,
      element('label', {}, 'Of ', element('select', { id: 'flame-of', onchange: ({ target }) => {
        this.show(target.value === '' ? null : keys[Number(target.value)]);
        this.draw(this.panel);
      } }, option('', 'all spans', this.key === null),
      ...names.map((node, i) => option(String(i), `callers and callees of ${visible(node.name)}`, this.key === keys[i])))),
      element('button', { type: 'button', id: 'flame-whole', disabled: !this.focus, onclick: () => this.zoomTo(null) }, 'Whole'),
      element('span', { class: 'faint' }, 'width: time in which at least one was open; click: that one fills the width'));
  }

  leftOut() {
    const number = this.chosen.reduce((sum, run) => sum + run.left_out_paths, 0);
    return number > 0 ? element('p', { class: 'faint' }, `${plural(number, 'path')} with the smallest totals left out`) : '';
  }

  // Trees side by side from top to bottom: { root, up }.
  parts() {
    if (this.key === null)
      return [{ root: this.tree, up: false }];
    const { callees, callers } = sandwichOf(this.tree, this.key);
    return [{ root: callers, up: true }, { root: callees, up: false }];
  }

  fill() {
    const width = Math.max(200, this.boxes.clientWidth);
    const rows = [];
    for (const part of this.parts()) {
      const found = this.layOut(part.root, width);
      const levels = [];
      for (const box of found)
        (levels[box.level] ??= []).push(box);
      const kept = part.up ? levels.slice(1).reverse() : levels;
      rows.push(...kept.map((boxes, i) => this.row(boxes, part.up && i === kept.length - 1 ? 'last of the callers' : '')));
    }
    this.boxes.replaceChildren(...rows);
    const first = this.boxes.querySelector('button');
    if (first)
      first.tabIndex = 0;
  }

  // The boxes in view, by level; those of the way down to the focus are as wide as all.
  layOut(root, width) {
    const way = new Set();
    for (let node = this.focus; node; node = node.parent)
      way.add(node);
    const inside = this.focus && way.has(root);
    const found = [];
    const todo = [{ node: root, x: 0, width, level: 0 }];
    for (let i = 0; i < todo.length && found.length < BOXES; i++) {
      const box = todo[i];
      found.push(box);
      let x = box.x;
      const on = inside && way.has(box.node) && box.node !== this.focus;
      for (const node of box.node.children) {
        if (on && !way.has(node))
          continue;
        const wide = on ? width : (box.width * node.weight) / (box.node.weight || 1);
        if (wide < BOX_WIDTH)
          break;
        todo.push({ node, x, width: wide, level: box.level + 1 });
        x += wide;
      }
    }
    return found;
  }

  row(boxes, what) {
    return element('div', { class: `flame-row ${what ? 'seam' : ''}` }, ...boxes.map((box) => this.box(box)));
  }

  title(node) {
    if (!node.name && !node.parent)
      return `all · ${duration(node.total)}`;
    return `${visible(node.name)} · ${plural(node.count, 'span')} · total ${duration(node.total)} · self ${duration(node.self)}`
      + ` · ${this.share(node)}`;
  }

  share(node) {
    return `${((100 * node.total) / (this.tree.total || 1)).toFixed(1)} % of all`;
  }

  box({ node, x, width }) {
    const name = node.parent || node.name ? visible(node.name) : 'all';
    const button = element('button', {
      type: 'button', class: `box ${node === this.focus ? 'focus' : ''}`, title: this.title(node), 'aria-label': this.title(node),
      tabIndex: -1, onclick: () => this.zoomTo(node),
    }, width > 24 ? name : '');
    button.node = node;
    button.style.left = `${x}px`;
    button.style.width = `${Math.max(1, width - 1)}px`;
    if (node.parent || node.name)
      button.style.background = this.colourOf(node);
    return button;
  }

  zoomTo(node) {
    this.focus = node && node.parent ? node : null;
    if (node)
      this.actions.path(node, this.title(node));
    const whole = document.getElementById('flame-whole');
    whole.disabled = !this.focus;
    this.fill();
    const again = [...this.boxes.querySelectorAll('button')].find((one) => one.node === node);
    this.take(again);
  }

  take(button) {
    if (!button)
      return;
    for (const one of this.boxes.querySelectorAll('button[tabindex="0"]'))
      one.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }

  // Arrows go to the box beside, above or below; Escape shows the whole.
  move(event) {
    const button = event.target.closest('.box');
    if (event.key === 'Escape' && this.focus) {
      event.stopPropagation();
      this.zoomTo(null);
      this.take(this.boxes.querySelector('button'));
      return;
    }
    if (!button)
      return;
    const line = (row) => (row ? [...row.children] : []);
    const row = button.parentElement;
    const middle = button.offsetLeft + Math.min(button.offsetWidth, 20) / 2;
    const over = (one) => one.offsetLeft <= middle && one.offsetLeft + one.offsetWidth + 1 >= middle;
    const to = {
      ArrowLeft: () => button.previousElementSibling, ArrowRight: () => button.nextElementSibling,
      ArrowUp: () => line(row.previousElementSibling).find(over) ?? line(row.previousElementSibling)[0],
      ArrowDown: () => line(row.nextElementSibling).find(over) ?? line(row.nextElementSibling)[0],
    }[event.key];
    if (!to)
      return;
    event.preventDefault();
    event.stopPropagation();
    this.take(to());
  }
}
