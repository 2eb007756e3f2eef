// SPDX-License-Identifier: MIT
// What belongs together across rows: links, parents in another run of the same trace,
// and the vCPU where a span was closed that was opened on another.

const ARROWS = 300; // drawn at a time

function idOf(trace, id) {
  return `${trace} ${id}`;
}

function traceOf(span) {
  return span.more.trace || span.run.trace_id;
}

class Links {
  constructor(runs) {
    this.out = new Map(); // of a span: [{ to, word }]
    this.in = new Map();
    this.moved = [];
    const wanted = new Map(); // by id: who asks for it
    const ask = (span, trace, id, word) => {
      const key = idOf(trace, id);
      if (!wanted.has(key))
        wanted.set(key, []);
      wanted.get(key).push([span, word]);
    };
    this.all = [];
    for (const run of runs)
      for (const span of run.spans) {
        const { more } = span;
        if (more === NOTHING)
          continue;
        for (const [trace, id] of more.links ?? NONE)
          ask(span, trace, id, 'link');
        if (more.remote_parent)
          ask(span, traceOf(span), more.remote_parent, 'caller');
        if (more.close_vcpu !== undefined)
          this.moved.push(span);
      }
    if (wanted.size > 0)
      this.join(runs, wanted);
  }

  join(runs, wanted) {
    for (const run of runs)
      for (const span of run.spans)
        for (const [from, word] of wanted.get(idOf(traceOf(span), span.id)) ?? NONE)
          if (from !== span)
            this.add(from, span, word);
  }

  add(from, to, word) {
    const put = (map, key, value) => map.set(key, [...map.get(key) ?? NONE, value]);
    put(this.out, from, { span: to, word });
    put(this.in, to, { span: from, word });
    this.all.push({ from, to, word });
  }

  get any() {
    return this.all.length + this.moved.length > 0;
  }

  caller(span) {
    return this.out.get(span)?.find(({ word }) => word === 'caller')?.span;
  }

  // Arrows as { from, to, x: times, rows }, of one span or, without, of all.
  arrows(span, rowOf) {
    const arrows = [];
    const add = ({ from, to, word }) => arrows.push(word === 'caller'
      ? { time: to.start, row: to.row, toTime: from.start, toRow: from.row }
      : { time: from.start, row: from.row, toTime: to.end, toRow: to.row });
    if (span) {
      for (const { span: to, word } of this.out.get(span) ?? NONE)
        add({ from: span, to, word });
      for (const { span: from, word } of this.in.get(span) ?? NONE)
        add({ from, to: span, word });
    } else {
      this.all.slice(0, ARROWS).forEach(add);
    }
    for (const one of span ? this.moved.filter((other) => other === span) : this.moved.slice(0, ARROWS))
      arrows.push({ time: one.end, row: one.row, toTime: one.end, toRow: rowOf(one.run, one.more.close_vcpu) });
    return arrows.filter(({ row, toRow }) => row >= 0 && toRow >= 0);
  }
}

// Rows of the panel, both ways.
function linksView(span, links, pick) {
  const of = (list, words) => list.map(({ span: one, word }) => [words[word], spanLink(one, pick),
    ...one.run !== span.run ? [' ', element('span', { class: 'type' }, `in ${visible(one.run.guest)}`)] : []]);
  const known = of(links.out.get(span) ?? NONE, { link: 'links to', caller: 'called by' });
  const back = of(links.in.get(span) ?? NONE, { link: 'linked from', caller: 'calls' });
  const found = new Set((links.out.get(span) ?? NONE).map(({ span: to }) => idOf(traceOf(to), to.id)));
  const others = (span.more.links ?? NONE).filter(([trace, id]) => !found.has(idOf(trace, id)))
    .map(([trace, id, , remote]) => [remote ? 'remote link' : 'link', element('span', { class: 'mono' }, `${trace} ${id}`)]);
  const rows = [...known, ...back, ...others];
  return rows.length ? [heading('Links'), pairs(...rows)] : [];
}

// From the middle of one row to another, with a head.
function drawArrow(ctx, fromX, fromY, toX, toY) {
  const bend = Math.max(16, Math.abs(toX - fromX) / 3);
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.bezierCurveTo(fromX + bend, fromY, toX - bend, toY, toX, toY);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(toX, toY);
  ctx.lineTo(toX - 7, toY - 4);
  ctx.lineTo(toX - 7, toY + 4);
  ctx.fill();
}
