/* SPDX-License-Identifier: MIT */
/* A sink that believes nothing of what it is shown, and looks at all of it. */
#ifndef GT_FUZZ_DOUBTING_SINK_H
#define GT_FUZZ_DOUBTING_SINK_H

#include "host/decode/utf8.h"

#include <guesttrace/host.h>
#include <stdlib.h>

struct doubting_sink {
	struct gt_sink sink; /* first */
	uint64_t opened, closed, events, counters, lost;
};

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_text(struct gt_text text)
{
	check(gt__utf8_is_valid((const uint8_t *)text.bytes, text.count));
}

static void check_fields(const struct gt_field *fields, size_t count)
{
	volatile char touched;

	for (size_t i = 0; i < count; i++) {
		const struct gt_text *text = &fields[i].value.text;

		check_text(fields[i].key);
		if (fields[i].type == GT_TYPE_STRING)
			check_text(*text);
		if (fields[i].type == GT_TYPE_BYTES)
			for (size_t j = 0; j < text->count; j++)
				touched = text->bytes[j];
	}
	(void)touched;
}

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	check(trace->vcpus >= 1 && trace->vcpus <= GT_VCPUS_MAX);
	check_text(trace->guest_name);
	check_text(trace->vm_name);
	check_text(trace->backend);
	return 0;
}

static void check_event(const struct gt_trace *trace,
                        const struct gt_event_view *event)
{
	check(event->vcpu < trace->vcpus && event->level < GT_LEVELS);
	check(event->sequence > 0);
	check_text(event->site->name);
	check_fields(event->fields, event->field_count);
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	((struct doubting_sink *)sink)->events++;
	check_event(trace, event);
	return 0;
}

static int on_counter(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_event_view *counter)
{
	((struct doubting_sink *)sink)->counters++;
	check_event(trace, counter);
	return 0;
}

static void check_span(const struct gt_trace *trace,
                       const struct gt_span_view *span)
{
	check(span->id != 0 && span->end_ns >= span->start_ns);
	check(span->vcpu < trace->vcpus && span->close_vcpu < trace->vcpus);
	check(span->level < GT_LEVELS && span->sequence > 0);
	check_text(span->site->name);
	check_text(span->site->target);
	check_text(span->site->file);
	check_text(span->status_text);
	check_fields(span->fields, span->field_count);
	for (size_t i = 0; i < span->event_count; i++)
		check_event(trace, &span->events[i]);
}

static int on_open(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	((struct doubting_sink *)sink)->opened++;
	check_span(trace, span);
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	((struct doubting_sink *)sink)->closed++;
	check_span(trace, span);
	return 0;
}

static int on_loss(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_loss_view *loss)
{
	((struct doubting_sink *)sink)->lost += loss->records;
	check(loss->vcpu < trace->vcpus && loss->to_ns >= loss->from_ns);
	return 0;
}

static int on_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                        const struct gt_host_span_view *span)
{
	(void)sink;
	check(span->id != 0 && span->end_ns >= span->start_ns);
	check(span->vcpu < trace->vcpus);
	check_text(span->name);
	return 0;
}

/* What was opened has been closed. */
static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	const struct doubting_sink *seen = (struct doubting_sink *)sink;

	(void)trace;
	check(summary->ending <= GT_ENDING_SNAPSHOT);
	check(seen->opened == seen->closed && summary->spans == seen->closed);
	check(summary->events == seen->events);
	check(summary->counters == seen->counters);
	check_text(summary->message);
	return 0;
}

static struct doubting_sink doubting_sink(void)
{
	return (struct doubting_sink){.sink = {.begin = on_begin,
	                                       .open = on_open,
	                                       .close = on_close,
	                                       .event = on_event,
	                                       .counter = on_counter,
	                                       .host_span = on_host_span,
	                                       .end = on_end,
	                                       .loss = on_loss}};
}

#endif
