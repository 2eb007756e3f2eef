// SPDX-License-Identifier: MIT
// The views below the timeline, of which one is shown.

class Tabs {
  // Each view: { id, title, draw(panel) }, drawn when it is shown.
  constructor(views) {
    this.views = views;
    this.panel = document.getElementById('table');
    this.buttons = views.map((view, index) => element('button', {
      type: 'button', role: 'tab', id: `tab-${view.id}`, 'aria-controls': 'table', onclick: () => this.choose(index),
      onkeydown: ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step)
          this.choose((index + step + views.length) % views.length).focus();
      },
    }, view.title));
    document.getElementById('tabs').replaceChildren(...this.buttons);
  }

  choose(index) {
    this.chosen = this.views[index].id;
    this.buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });
    this.panel.setAttribute('aria-labelledby', this.buttons[index].id);
    this.panel.scrollTop = 0; // before: see showDetail
    this.views[index].draw(this.panel);
    return this.buttons[index];
  }

  // False: there is no such view.
  open(id) {
    const index = this.views.findIndex((view) => view.id === id);
    if (index >= 0)
      this.choose(index);
    return index >= 0;
  }
}

function eventsTitle(runs) {
  const events = runs.reduce((sum, run) => sum + run.events.length, 0);
  return `${runs.some((run) => run.counter_count > 0) ? 'Events and counters' : 'Events'} (${count(events)})`;
}

function makeViews(page) {
  const { runs, actions } = page;
  const names = namesTable(runs, actions);
  const { log, exits } = page;
  const view = (id, title, of) => ({ id, title, draw: (panel) => of.draw(panel) });
  return [
    view('names', `Names (${count(names.rows.length)}${names.notice ? ', partial' : ''})`, names),
    view('flame', 'Flame graph', page.flame),
    view('spans', 'Spans of a name', page.spansOfName),
    ...(runs.some((run) => run.exit_sums.length > 0) ? [view('exits', 'Exits', exits)] : []),
    ...(runs.length > 1 ? [view('compare', 'Compare', page.comparison)] : []),
    view('range', 'Selection', page.range),
    view('events', eventsTitle(runs), log),
    { id: 'runs', title: runs.length === 1 ? 'Run' : `Runs (${runs.length})`, draw: (panel) => panel.replaceChildren(...runs.map(runDetail)) },
  ];
}

function makeTabs(page) {
  const tabs = new Tabs(makeViews(page));
  const { runs } = page;
  const [names, events] = [runs.some((run) => run.names.length > 0), runs.some((run) => run.events.length > 0)];
  tabs.first = !names && events ? 'events' : 'names';
  tabs.open(tabs.first);
  return tabs;
}
