/* SPDX-License-Identifier: MIT */
/* Calls sinks as the host library does. */
#include "synthetic.h"
#include <stdlib.h>
#include <string.h>

#define START_NS UINT64_C(1795420800123456789)

const struct syn_format syn_formats[SYN_FORMATS] = {
	{"trace.perfetto", gt_perfetto_new}, {"otlp.pb", gt_otlp_protobuf_new},
	{"trace.json", gt_chrome_new},       {"otlp.jsonl", gt_otlp_json_new},
	{"folded.txt", gt_folded_new},       {"spans.csv", gt_csv_new},
	{"tree.txt", gt_tree_new},           {"report.txt", gt_report_new},
	{"report.json", gt_report_json_new}, {"exits.txt", gt_folded_exits_new},
};

uint32_t syn_level;

struct gt_text syn_text(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

static void keep_error(struct syn *s, int rc)
{
	if (rc && !s->error)
		s->error = rc;
}

#define CALL_(function, ...)                                                   \
	do {                                                                   \
		for (size_t i_ = 0; i_ < s->sink_count; i_++)                  \
			if (s->sinks[i_]->function)                            \
				keep_error(s, s->sinks[i_]->function(          \
						      s->sinks[i_], &s->trace, \
						      __VA_ARGS__));           \
	} while (0)

static uint64_t exported_id(const struct syn *s, uint64_t guest_id)
{
	return UINT64_C(0x9d3c51ff00000000) * (s->trace.index + 1) + guest_id;
}

void syn_begin(struct syn *s, uint32_t index, const char *guest)
{
	size_t i;

	memset(&s->trace, 0, sizeof s->trace);
	memset(&s->summary, 0, sizeof s->summary);
	memset(s->lost, 0, sizeof s->lost);
	s->trace.index = index;
	for (i = 0; i < 16; i++)
		s->trace.trace_id[i] = (uint8_t)(0x41 + 7 * i + index);
	s->trace.trace_id[15] = (uint8_t)(0xaa + (index >> 8));
	s->trace.parent_id = index % 2 ? 0 : 0x00f067aa0ba902b7;
	s->trace.trace_state = syn_text(
		index % 2 ? "" : "rojo=00f067aa0ba902b7,congo=t61rcWk");
	/* One began before the first. */
	s->trace.start_ns = index == 2
	                            ? START_NS - UINT64_C(5000000011)
	                            : START_NS + index * UINT64_C(1000000007);
	/* The host has been up for 410 days. */
	s->trace.monotonic_offset_ns = INT64_C(1760000000000000123);
	s->trace.boottime_offset_ns = INT64_C(77000000001);
	s->trace.vcpus = 2;
	s->trace.flags = 1;
	s->trace.guest_name = syn_text(guest);
	s->trace.vm_name = syn_text("vm-1");
	s->trace.backend = syn_text("emulated");
	s->trace.guest_build_id = syn_text("0badc0de");
	s->trace.vm_id = syn_text(index % 2 ? "" : "vm-id-1");
	s->trace.host_name = syn_text(index % 2 ? "" : "node-7");
	s->sequence = 0;
	s->host_ids = 0;
	s->trace.run_id = exported_id(s, 2);
	for (i = 0; i < s->sink_count; i++)
		keep_error(s,
		           s->sinks[i]->begin
		                   ? s->sinks[i]->begin(s->sinks[i], &s->trace)
		                   : 0);
}

struct syn_span *syn_open_with(struct syn *s, const struct gt_site_view *site,
                               const struct syn_span *parent, uint32_t vcpu,
                               uint64_t at_ns, bool entered,
                               const struct gt_field *fields, size_t count)
{
	struct syn_span *span = calloc(1, sizeof *span);
	struct gt_span_view *v;

	if (!(s->span_count & (s->span_count - 1))) /* doubles */
		s->spans = realloc(s->spans,
		                   (2 * s->span_count + 1) * sizeof *s->spans);
	if (!span || !s->spans)
		abort();
	s->spans[s->span_count++] = span;
	v = &span->view;
	v->guest_id = GT_ID_BASE(vcpu, 0) + s->span_count * 32;
	v->id = exported_id(s, v->guest_id);
	v->parent_id = parent ? parent->view.id : 0;
	v->guest_parent_id = parent ? parent->view.guest_id : 0;
	v->start_ns = v->end_ns = s->trace.start_ns + at_ns;
	v->sequence = ++s->sequence;
	v->site = site;
	v->fields = span->fields;
	v->field_count = span->opening_fields = count;
	v->events = span->events;
	v->links = span->links;
	v->vcpu = v->close_vcpu = vcpu;
	v->entered = entered;
	v->level = syn_level;
	if (count)
		memcpy(span->fields, fields, count * sizeof *fields);
	span->open = true;
	CALL_(open, v);
	s->summary.spans++;
	return span;
}

struct syn_span *syn_open(struct syn *s, const struct gt_site_view *site,
                          const struct syn_span *parent, uint32_t vcpu,
                          uint64_t at_ns, bool entered)
{
	return syn_open_with(s, site, parent, vcpu, at_ns, entered, NULL, 0);
}

void syn_late(struct syn_span *span, struct gt_field field)
{
	span->fields[span->view.field_count++] = field;
}

static struct gt_event_view
event_of(struct syn *s, const struct gt_site_view *site,
         const struct syn_span *span, uint32_t vcpu, uint64_t at_ns,
         const struct gt_field *fields, size_t count)
{
	return (struct gt_event_view){
		.time_ns = s->trace.start_ns + at_ns,
		.span_id = span ? span->view.id : 0,
		.sequence = ++s->sequence,
		.site = site,
		.fields = fields,
		.field_count = count,
		.vcpu = vcpu,
	};
}

void syn_event(struct syn *s, const struct gt_site_view *site,
               struct syn_span *span, uint32_t vcpu, uint64_t at_ns,
               const struct gt_field *fields, size_t count)
{
	struct gt_event_view e =
		event_of(s, site, span, vcpu, at_ns, fields, count);
	size_t n;

	CALL_(event, &e);
	s->summary.events++;
	if (!span)
		return;
	n = span->view.event_count;
	if (n == SYN_EVENTS || count > 4) {
		span->view.dropped_events++;
		return;
	}
	if (count)
		memcpy(span->event_fields[n], fields, count * sizeof *fields);
	span->events[n] = e;
	span->events[n].fields = span->event_fields[n];
	span->view.event_count++;
}

void syn_counter(struct syn *s, const struct gt_site_view *site,
                 const struct syn_span *span, uint32_t vcpu, uint64_t at_ns,
                 const struct gt_field *fields, size_t count)
{
	struct gt_event_view e =
		event_of(s, site, span, vcpu, at_ns, fields, count);

	CALL_(counter, &e);
	s->summary.counters++;
}

void syn_close(struct syn *s, struct syn_span *span, uint32_t vcpu,
               uint64_t at_ns)
{
	span->view.end_ns = s->trace.start_ns + at_ns;
	if (span->view.end_ns < span->view.start_ns)
		span->view.end_ns = span->view.start_ns;
	span->view.close_vcpu = vcpu;
	span->open = false;
	CALL_(close, &span->view);
}

void syn_loss(struct syn *s, uint32_t vcpu, uint64_t from_ns, uint64_t to_ns,
              uint64_t records, const struct syn_span *inside)
{
	const struct gt_loss_view loss = {
		.from_ns = s->trace.start_ns + from_ns,
		.to_ns = s->trace.start_ns + to_ns,
		.span_id = inside ? inside->view.id : 0,
		.sequence = s->sequence,
		.vcpu = vcpu,
		.records = records,
	};

	CALL_(loss, &loss);
}

uint64_t syn_host(struct syn *s, struct gt_host_span_view stretch)
{
	if (!stretch.parent_id)
		stretch.parent_id = s->trace.run_id;
	stretch.id = exported_id(s, (UINT64_C(1) << 60) + ++s->host_ids);
	stretch.start_ns += s->trace.start_ns;
	stretch.end_ns += s->trace.start_ns;
	if (stretch.kind != GT_HOST_WORK)
		stretch.name = syn_text(stretch.kind == GT_HOST_GUEST ? "guest"
		                                                      : "exit");
	CALL_(host_span, &stretch);
	return stretch.id;
}

/* The host closes what is open, the innermost first. */
void syn_end(struct syn *s, uint64_t at_ns)
{
	size_t i;

	s->trace.summary = &s->summary;
	for (i = s->span_count; i--;) {
		if (!s->spans[i]->open)
			continue;
		s->spans[i]->view.flags |= GT_SPAN_INTERRUPTED;
		syn_close(s, s->spans[i], s->spans[i]->view.vcpu, at_ns);
	}
	s->summary.end_ns = s->trace.start_ns + at_ns;
	s->summary.clock.error_bound_ns = 42;
	s->summary.records = s->sequence;
	s->summary.record_bytes = s->sequence * 32;
	CALL_(end, &s->summary);
	for (i = 0; i < s->span_count; i++)
		free(s->spans[i]);
	free(s->spans);
	s->spans = NULL;
	s->span_count = 0;
}

int syn_finish(struct syn *s)
{
	size_t i;

	for (i = 0; i < s->sink_count; i++)
		keep_error(s, s->sinks[i]->finish(s->sinks[i]));
	return s->error;
}

void syn_free(struct syn *s)
{
	size_t i;

	for (i = 0; i < s->sink_count; i++)
		s->sinks[i]->free(s->sinks[i]);
	for (i = 0; i < s->span_count; i++)
		free(s->spans[i]);
	free(s->spans);
	memset(s, 0, sizeof *s);
}

int syn_finish_nothing(struct gt_sink *sink)
{
	(void)sink;
	return 0;
}

void syn_free_nothing(struct gt_sink *sink)
{
	(void)sink;
}
