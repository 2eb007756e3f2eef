/* SPDX-License-Identifier: MIT */
#include "textsink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((format(printf, 2, 3))) static void say(struct textsink *sink,
                                                      const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (sink->room - sink->count <= (size_t)length) {
		sink->room = 2 * (sink->room + (size_t)length + 1);
		sink->text = realloc(sink->text, sink->room);
		if (!sink->text)
			abort();
	}
	va_start(arguments, format);
	vsnprintf(sink->text + sink->count, sink->room - sink->count, format,
	          arguments);
	va_end(arguments);
	sink->count += (size_t)length;
}

/* Control characters as \xNN, so that a line stays a line. */
static void say_text(struct textsink *sink, struct gt_text text, bool bytes)
{
	for (size_t i = 0; i < text.count; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];

		say(sink, bytes || byte < 32 || byte == 127 ? "\\x%02x" : "%c",
		    byte);
	}
}

static void say_field(struct textsink *sink, const struct gt_field *field)
{
	say(sink, " ");
	say_text(sink, field->key, false);
	say(sink, ":%c=", field->type);
	switch (field->type) {
	case GT_TYPE_I64:
		say(sink, "%" PRId64, field->value.i64);
		break;
	case GT_TYPE_F64:
		say(sink, "%a", field->value.f64);
		break;
	case GT_TYPE_BOOL:
		say(sink, "%d", field->value.boolean);
		break;
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
		say_text(sink, field->value.text, field->type == GT_TYPE_BYTES);
		say(sink, "(%u)", field->full_bytes);
		break;
	default:
		say(sink, "%" PRIu64, field->value.u64);
		break;
	}
}

static void say_fields(struct textsink *sink, const struct gt_field *fields,
                       size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_field(sink, &fields[i]);
}

static void say_event(struct textsink *sink, const char *what,
                      const struct gt_event_view *event)
{
	say(sink, "%s %" PRIu64 " #%" PRIu64 " in %" PRIx64 " cpu%u.%u !%x ",
	    what, event->time_ns, event->sequence, event->span_id, event->vcpu,
	    event->level, event->flags);
	say_text(sink, event->site->name, false);
	say_fields(sink, event->fields, event->field_count);
	say(sink, "\n");
}

static int on_begin(struct gt_sink *base, const struct gt_trace *trace)
{
	struct textsink *sink = (struct textsink *)base;

	say(sink, "trace %u ", trace->index);
	for (unsigned i = 0; i < 16; i++)
		say(sink, "%02x", trace->trace_id[i]);
	say(sink,
	    " under %" PRIx64 " from %" PRIu64 " offset %" PRId64
	    " slept %" PRId64,
	    trace->parent_id, trace->start_ns, trace->monotonic_offset_ns,
	    trace->boottime_offset_ns);
	say(sink, " vcpus %u flags %u ", trace->vcpus, trace->flags);
	say_text(sink, trace->guest_name, false);
	say(sink, "/");
	say_text(sink, trace->vm_name, false);
	say(sink, "/");
	say_text(sink, trace->backend, false);
	say(sink, "\n");
	return 0;
}

static void say_span(struct textsink *sink, const char *what,
                     const struct gt_span_view *span)
{
	const struct gt_site_view *site = span->site;

	say(sink, "%s %" PRIx64 " (%" PRIu64 ") < %" PRIx64 " (%" PRIu64 ") ",
	    what, span->id, span->guest_id, span->parent_id,
	    span->guest_parent_id);
	say(sink, "%" PRIu64 "..%" PRIu64 " #%" PRIu64 " cpu%u-%u.%u !%x%s%s ",
	    span->start_ns, span->end_ns, span->sequence, span->vcpu,
	    span->close_vcpu, span->level, span->flags,
	    span->entered ? " entered" : "",
	    span->parent_remote ? " remote" : "");
	say_text(sink, site->target, false);
	say(sink, ".");
	say_text(sink, site->name, false);
	say(sink, " ");
	say_text(sink, site->file, false);
	say(sink, ":%u %u", site->line, site->level);
	say_fields(sink, span->fields, span->field_count);
	if (span->status)
		say(sink, " status %d ", span->status);
	say_text(sink, span->status_text, false);
	for (size_t i = 0; i < span->link_count; i++)
		say(sink, " link %02x..%" PRIx64, span->links[i].trace_id[0],
		    span->links[i].span_id);
	say(sink, " dropped %" PRIu64 " %" PRIu64 "\n", span->dropped_events,
	    span->dropped_fields);
	for (size_t i = 0; i < span->event_count; i++)
		say_event(sink, "  had", &span->events[i]);
}

static int on_open(struct gt_sink *base, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	(void)trace;
	say_span((struct textsink *)base, "open", span);
	return 0;
}

static int on_close(struct gt_sink *base, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)trace;
	say_span((struct textsink *)base, "close", span);
	return 0;
}

static int on_event(struct gt_sink *base, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)trace;
	say_event((struct textsink *)base, "event", event);
	return 0;
}

static int on_counter(struct gt_sink *base, const struct gt_trace *trace,
                      const struct gt_event_view *event)
{
	(void)trace;
	say_event((struct textsink *)base, "counter", event);
	return 0;
}

static void say_losses(struct textsink *sink, const struct gt_losses *losses)
{
	const uint64_t counts[] = {
		losses->records,           losses->strings_cut,
		losses->overwritten_bytes, losses->bad_records,
		losses->bad_bytes,         losses->bad_requests,
		losses->unknown_spans,     losses->replaced_spans,
		losses->evicted_spans,     losses->dropped_events,
		losses->dropped_fields,    losses->adjusted_records,
		losses->late_records,      losses->cut_bytes};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		say(sink, " %" PRIu64, counts[i]);
}

static int on_host_span(struct gt_sink *base, const struct gt_trace *trace,
                        const struct gt_host_span_view *span)
{
	(void)trace;
	say((struct textsink *)base,
	    "host %.*s %" PRIx64 " < %" PRIx64 " %" PRIu64 "..%" PRIu64
	    " cpu%u kind %d reason %d port %u tracing %d waited %" PRIu64
	    " !%x\n",
	    (int)span->name.count, span->name.bytes, span->id, span->parent_id,
	    span->start_ns, span->end_ns, span->vcpu, span->kind, span->reason,
	    span->port, span->tracing, span->waiting_ns, span->flags);
	return 0;
}

static int on_loss(struct gt_sink *base, const struct gt_trace *trace,
                   const struct gt_loss_view *loss)
{
	(void)trace;
	say((struct textsink *)base,
	    "lost %" PRIu64 "..%" PRIu64 " behind #%" PRIu64 " in %" PRIx64
	    " cpu%u records %" PRIu64 " overwritten %" PRIu64 " bad %" PRIu64
	    " of %" PRIu64 "\n",
	    loss->from_ns, loss->to_ns, loss->sequence, loss->span_id,
	    loss->vcpu, loss->records, loss->overwritten_bytes,
	    loss->bad_records, loss->bad_bytes);
	return 0;
}

static int on_end(struct gt_sink *base, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	struct textsink *sink = (struct textsink *)base;

	(void)trace;
	say(sink, "end %d %u ", summary->ending, summary->status);
	say_text(sink, summary->message, false);
	say(sink, " at %" PRIu64 " +-%" PRIu64 " spans %" PRIu64,
	    summary->end_ns, summary->clock.error_bound_ns, summary->spans);
	say(sink,
	    " events %" PRIu64 " counters %" PRIu64 " records %" PRIu64
	    " of %" PRIu64 " exits",
	    summary->events, summary->counters, summary->records,
	    summary->record_bytes);
	for (unsigned i = 0; i < GT_EXIT_REASONS; i++)
		say(sink, " %" PRIu64, summary->exits[i]);
	say(sink, " losses");
	say_losses(sink, &summary->losses);
	say(sink, "\n");
	sink->summary = *summary;
	sink->summary.message = (struct gt_text){NULL, 0};
	return 0;
}

struct textsink textsink_new(void)
{
	return (struct textsink){.sink = {.begin = on_begin,
	                                  .open = on_open,
	                                  .close = on_close,
	                                  .event = on_event,
	                                  .counter = on_counter,
	                                  .host_span = on_host_span,
	                                  .end = on_end,
	                                  .loss = on_loss}};
}

void textsink_free(struct textsink *sink)
{
	free(sink->text);
	*sink = textsink_new();
}
