// SPDX-License-Identifier: MIT
// The first words of a page: what of each run is missing, how it ended, what is not shown.

function outcomeText(run) {
  return run.outcome === 'halted' ? `halted with status ${run.status}`
    : run.outcome === 'unknown' ? 'end unknown' : run.outcome;
}

function runLine(run) {
  const died = run.died;
  const lost = run.losses.reduce((sum, [, , number]) => sum + BigInt(number), 0n);
  const kind = died ? 'bad' : run.outcome === 'halted' && run.status === 0 && !run.lost ? 'good' : 'warn';
  return element('div', { class: 'run' },
    run.lost ? element('strong', { class: 'lost wrap' }, run.lost) : null,
    element('h1', {}, guestText(run.guest || 'guest')),
    element('span', { class: `outcome ${kind}` }, died ? outcomeText(run).toUpperCase() : outcomeText(run)),
    element('span', {}, `after ${duration(run.duration_ns)}`),
    element('span', { class: 'faint' }, guestText(run.backend)),
    element('span', { class: 'counts' }, [plural(run.span_count, 'span'), plural(run.event_count, 'event'),
      plural(run.counter_count, 'counter'), plural(run.vcpus, 'vCPU')].join(' · ')),
    element('span', { class: 'faint clock' }, `times within ${duration(Number(run.error_bound_ns))}`),
    lost === 0n ? element('span', { class: 'faint losses' }, 'nothing lost')
      : element('span', { class: 'warn wrap losses' },
        `lost: ${run.losses.map(([, prose, number]) => `${count(number)} ${prose}`).join('; ')}`));
}

function deathNotice(run, actions) {
  const where = run.last;
  return element('p', { class: 'notice bad' },
    element('strong', {}, '✗ ', guestText(run.message || outcomeText(run))),
    where ? ' in ' : ' outside of any span',
    where ? element('button', { class: 'link', type: 'button', onclick: () => actions.pick(where) }, guestText(where.site.name)) : null,
    where ? `, ${duration(where.duration)} after it began` : null);
}

function excerptNotice(run) {
  const parts = [];
  if (run.hidden_spans)
    parts.push(`Of ${plural(run.span_count, 'span')} the page has the ${count(run.spans.length)} that failed, were `
      + `interrupted or lasted longest. The other ${count(run.hidden_spans)} are drawn as blocks of neighbours.`);
  if (run.hidden_events)
    parts.push(`${count(run.hidden_events)} events and counters are left out, spread over the whole run; `
      + 'failures and warnings are kept first.');
  if (run.name_count > run.names.length)
    parts.push(`The table has the ${count(run.names.length)} names of ${count(run.name_count)} with the largest totals.`);
  if (run.merged_stretches)
    parts.push(`${count(run.merged_stretches)} guest runs and exits are drawn as one with their neighbours.`);
  return parts.length ? element('p', { class: 'notice excerpt' }, `${visible(run.guest)}: `, parts.join(' ')) : null;
}
