// SPDX-License-Identifier: MIT
// Which of changes.mjs each comparison has to notice, and it may notice no other: a
// format that learns to say more, or a comparison that no longer looks, shows here.

const TIMES = 'start_ns end_ns';
const FIELDS = 'fields:_u64 fields:_i64 fields:_f64 fields:_bool fields:_pointer fields:_bytes fields:_string fields:_key';
const of = (owner, names) => names.split(' ').map((name) => `${owner}.${name.replace(':_', ': ')}`);
const records = (names) => ['event', 'event of a span', 'counter'].flatMap((owner) => of(owner, names));
const LESS = ['spans', 'events', 'counters'].map((list) => `trace.${list}: one less`);
const SITE = 'name target level file line';
const ORIGIN = 'trace_id vm vm_id host_name guest_build_id backend';
const NAMES = of('name', 'name target count unfinished total_ns self_ns p50_ns p99_ns max_ns').concat('trace.names: one less');
const HOST = ['stretch: one less', ...of('stretch', `id parent_id ${TIMES} kind reason vcpu port tracing waiting_ns name`)];
const LOSSES = of('trace.losses', 'records strings_cut overwritten_bytes bad_records bad_bytes bad_requests unknown_spans '
  + 'replaced_spans evicted_spans dropped_events dropped_fields adjusted_records late_records cut_bytes repeated_batches '
  + 'unknown_kinds crowded_names bad_contexts quota_requests quota_exits');
const MISSING = of('trace.losses', 'records overwritten_bytes bad_records bad_bytes bad_requests evicted_spans dropped_events cut_bytes unknown_kinds');
const PLACES = [...of('gap', 'from_ns to_ns vcpu records overwritten_bytes bad_records bad_bytes'), 'trace.gaps: one less'];
const GAPS = ['gap.span_id', ...PLACES];
const OUTCOME = of('trace', 'partial outcome message records');
const SPLIT = [...of('trace.split', 'guest_ns tracing_ns waiting_ns unknown_ns'), ...of('trace.split.exits', 'io mmio halt')];
const ALL_FIELDS = ['span', 'event', 'event of a span', 'counter'].flatMap((owner) =>
  [...of(owner, `${FIELDS} fields:_type`), `${owner}.fields: one less`]);

const TREE = [...LESS, ...LOSSES, ...GAPS, ...ALL_FIELDS, ...of('trace', `trace_id guest backend outcome message partial records ${TIMES} vcpus`),
  'trace.clock.error_bound_ns', ...of('span', 'id parent_id name target level vcpu start_ns duration_ns status status_message flags'),
  ...records('time_ns name target vcpu flags'), ...of('event', 'sequence level'), ...of('event of a span', 'span_id level'), 'counter.span_id'];
const OTLP = [...LESS, ...LOSSES, ...GAPS, 'trace.clock.error_bound_ns', ...ALL_FIELDS, ...HOST, 'stretch.index', 'stretch.flags',
  ...of('trace', `trace_id parent_id trace_state trace_flags guest vm backend guest_build_id vm_id host_name outcome message records ${TIMES} vcpus`),
  ...of('span', `id parent_id guest_id ${SITE} vcpu close_vcpu nesting ${TIMES} status status_message dropped_events dropped_fields flags`),
  ...records(`time_ns ${SITE} vcpu nesting flags`), 'event.span_id', 'counter.span_id',
  ...of('link', 'trace_id span_id trace_flags remote'), 'span.links: one less'];
const SLICES = [...LESS, ...LOSSES, ...GAPS, ...OUTCOME, 'trace.end_ns', 'trace.monotonic_offset_ns', 'link.span_id',
  ...of('span', `id parent_id name target level vcpu ${TIMES} status status_message flags ${FIELDS} fields:_type`),
  ...of('event', `time_ns name target level ${FIELDS} fields:_type`), ...of('event of a span', `time_ns name target level ${FIELDS} fields:_type`),
  ...of('counter', `time_ns name ${FIELDS}`), 'counter.fields: one less'];

const SEEN = {
  names: [...NAMES, 'name.avg_ns', ...of('span', `name target ${TIMES} duration_ns self_ns`), 'trace.spans: one less'],
  splits: [...SPLIT, ...of('trace', `${TIMES} vcpus`), ...of('stretch', `index ${TIMES} kind reason waiting_ns`), 'stretch: one less'],
  csv: [...LOSSES, ...GAPS, ...OUTCOME, ...of('trace', `trace_id parent_id ${TIMES}`), 'trace.spans: one less', ...of('span', `id parent_id guest_id name target level vcpu ${TIMES} duration_ns status flags `
    + `${FIELDS} fields:_type`), 'span.fields: one less'],
  folded: [...MISSING, ...OUTCOME, 'trace.spans: one less', ...of('trace', 'index guest'), ...of('span', `id parent_id name ${TIMES} self_ns`)],
  exits: [...MISSING, ...OUTCOME, ...of('span', 'id name'), ...of('trace', 'index guest'), 'stretch.kind', 'stretch: one less'],
  tree: TREE,
  report: [...TREE, ...NAMES, ...SPLIT],
  'otlp-json': OTLP,
  'otlp-protobuf': OTLP,
  html: [...LESS, ...PLACES, ...NAMES, ...LOSSES, ...SPLIT, ...ALL_FIELDS, 'trace.clock.error_bound_ns',
    ...of('trace', `guest ${ORIGIN} outcome status message partial records start_ns vcpus`),
    ...of('span', `id parent_id ${SITE} vcpu close_vcpu nesting ${TIMES} duration_ns self_ns status status_message `
      + 'dropped_events dropped_fields flags'),
    ...records(`time_ns ${SITE} vcpu flags`), 'event of a span.span_id', 'counter.span_id', ...of('link', 'trace_id span_id trace_flags remote'), 'span.links: one less'],
  chrome: [...SLICES, ...HOST, 'span.links: one less', ...of('trace', `guest start_ns ${ORIGIN}`)],
  perfetto: [...SLICES, ...of('span', 'file line'), ...of('event', 'file line'), ...of('event of a span', 'file line'), 'trace.boottime_offset_ns'],
  joined: [...HOST, ...of('trace', `guest ${ORIGIN} monotonic_offset_ns boottime_offset_ns`), ...of('span', 'id start_ns')],
  ctf: [...LESS, ...of('gap', 'to_ns vcpu records'), 'trace.gaps: one less', 'trace.lost_records: one less', ...ALL_FIELDS, ...HOST, ...LOSSES, 'stretch.flags', 'trace.clock.error_bound_ns',
    ...of('trace', `guest ${ORIGIN} outcome message monotonic_offset_ns vcpus`),
    ...of('span', `id parent_id guest_id ${SITE} vcpu close_vcpu nesting entered ${TIMES} duration_ns status status_message `
      + 'dropped_events dropped_fields flags'),
    ...records(`span_id sequence time_ns ${SITE} vcpu nesting flags`),
    ...of('link', 'trace_id span_id'), 'span.links: one less'],
};

export const isSeen = (format, what) => SEEN[format].includes(what);
