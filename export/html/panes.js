// SPDX-License-Identifier: MIT
// How the page is parted, and which vCPUs it draws in what order.

const PANE_STEP = 24; // px of an arrow key
const PANE_LEAST = 120;

// A bar between two panes: `place(px)` of the size of the pane behind it.
function makeSeparator(bar, size, place) {
  const vertical = bar.getAttribute('aria-orientation') === 'vertical';
  const put = (px) => {
    const most = (vertical ? innerWidth : innerHeight) - PANE_LEAST;
    const to = Math.round(Math.min(Math.max(px, PANE_LEAST), most));
    bar.setAttribute('aria-valuenow', String(to));
    bar.setAttribute('aria-valuemax', String(most));
    place(to);
  };
  bar.addEventListener('pointerdown', (event) => {
    const from = vertical ? event.clientX : event.clientY, was = size();
    const move = (at) => put(was + from - (vertical ? at.clientX : at.clientY));
    bar.setPointerCapture(event.pointerId);
    bar.addEventListener('pointermove', move);
    bar.addEventListener('pointerup', () => bar.removeEventListener('pointermove', move), { once: true });
  });
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 }[event.key];
    if (!step)
      return;
    event.preventDefault();
    event.stopPropagation();
    put(size() + step * PANE_STEP);
  });
  bar.setAttribute('aria-valuenow', String(Math.round(size())));
  bar.setAttribute('aria-valuemin', String(PANE_LEAST));
  return put;
}

// The panel beside the timeline and the tables below it: how large, and whether there.
class Panes {
  constructor(get) {
    const [main] = document.getElementsByTagName('main');
    Object.assign(this, { get, main, sizes: {}, put: {} });
    for (const [pane, property, side] of [['detail', '--detail-width', 'offsetWidth'], ['tables', '--tables-height', 'offsetHeight']]) {
      this.put[pane] = makeSeparator(get(`split-${pane}`), () => get(pane)[side], (px) => {
        this.sizes[pane] = px;
        main.style.setProperty(property, `${px}px`);
      });
      get(`show-${pane}`).addEventListener('click', () => this.show(pane, !this.shows(pane)));
    }
  }

  shows(pane) {
    return this.get(`show-${pane}`).getAttribute('aria-pressed') === 'true';
  }

  show(pane, shown) {
    this.get(`show-${pane}`).setAttribute('aria-pressed', String(shown));
    this.get(pane).hidden = this.get(`split-${pane}`).hidden = !shown;
    this.main.classList.toggle(`no-${pane}`, !shown);
  }

  // For the address: how large somebody made it, and 'no' where it is closed.
  text(pane) {
    return `${this.sizes[pane] ?? ''}${this.shows(pane) ? '' : 'no'}`;
  }

  restore(pane, text) {
    if (parseInt(text, 10) > 0)
      this.put[pane](parseInt(text, 10));
    this.show(pane, !text.endsWith('no'));
  }
}

// The list of vCPUs: drawn or not, at the top, before and behind others. `changed` when
// it is another one.
class TrackList {
  constructor(dialog, tracks, changed) {
    Object.assign(this, { dialog, tracks, changed });
  }

  open() {
    this.fill();
    this.dialog.showModal();
  }

  // Those at the top come first, else as they are in the list.
  order() {
    return [...this.tracks.filter((track) => track.pinned), ...this.tracks.filter((track) => !track.pinned)].filter((track) => !track.hidden);
  }

  fill(focus) {
    const change = (act, focused) => () => {
      act();
      this.changed();
      this.fill(focused);
    };
    const box = (track, key, text, on) => element('label', {}, element('input', { type: 'checkbox', checked: on,
      id: `track-${key}-${track.number}`, onchange: change(() => { track[key] = !track[key]; }, `track-${key}-${track.number}`) }), ` ${text}`);
    const swap = (i, by) => change(() => {
      [this.tracks[i], this.tracks[i + by]] = [this.tracks[i + by], this.tracks[i]];
    }, `track-${by < 0 ? 'up' : 'down'}-${this.tracks[i].number}`);
    const arrow = (track, i, by) => element('button', { type: 'button', id: `track-${by < 0 ? 'up' : 'down'}-${track.number}`,
      disabled: i + by < 0 || i + by >= this.tracks.length, 'aria-label': `${track.title}: ${by < 0 ? 'up' : 'down'}`, onclick: swap(i, by) }, by < 0 ? '↑' : '↓');
    this.dialog.querySelector('div').replaceChildren(element('table', {}, element('tbody', {}, ...this.tracks.map((track, i) => element('tr', {},
      element('td', {}, element('bdi', {}, track.title)), element('td', {}, box(track, 'hidden', 'hidden', Boolean(track.hidden))),
      element('td', {}, box(track, 'pinned', 'at the top', Boolean(track.pinned))), element('td', {}, arrow(track, i, -1), ' ', arrow(track, i, 1)))))));
    if (focus)
      document.getElementById(focus)?.focus();
  }
}

// Puts text where the user can paste it from; false where the browser does not let it.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = element('textarea', { value: text });
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    return done;
  }
}

function copyButton(what, text) {
  const button = element('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${what}`, title: `Copy ${what}`, onclick: async () => {
    button.textContent = await copyText(text()) ? 'copied' : 'not copied';
  } }, 'copy');
  return button;
}
