/* SPDX-License-Identifier: MIT */
/* What a sink is shown, against the truth. */
#include "schedule.h"

static void look(struct schedule_seen *seen, const char *what, uint64_t at,
                 uint64_t true_ps, uint64_t ns, unsigned flags)
{
	uint64_t ps = ns * 1000;
	uint64_t off_ps = ps > true_ps ? ps - true_ps : true_ps - ps;

	seen->hash = (seen->hash ^ ns) * UINT64_C(0x100000001b3);
	if (off_ps < seen->worst_ps || flags & GT_SPAN_ADJUSTED)
		return;
	seen->worst_ps = off_ps;
	seen->worst_of = what;
	seen->worst_at = at;
}

static struct schedule_seen *of(struct gt_sink *sink)
{
	return (struct schedule_seen *)sink;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	uint64_t i = event->fields[0].value.u64;

	(void)trace;
	look(of(sink), "event", i, schedule_made[i], event->time_ns,
	     event->flags);
	of(sink)->records++;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	const unsigned unknown_end =
		GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST | GT_SPAN_EVICTED;
	uint64_t i = span->fields[0].value.u64;

	(void)trace;
	if (span->flags & GT_SPAN_OPEN_LOST)
		return 0;
	look(of(sink), "opening", i, schedule_made[i], span->start_ns,
	     span->flags);
	if (!(span->flags & unknown_end))
		look(of(sink), "close", i + 1, schedule_made[i + 1],
		     span->end_ns, span->flags);
	of(sink)->records++;
	return 0;
}

/* The name of work is its number. */
static void look_at_work(struct schedule_seen *seen,
                         const struct gt_host_span_view *span)
{
	uint64_t i = 0;

	for (size_t at = 0; at < span->name.count; at++)
		i = 10 * i + (uint64_t)(span->name.bytes[at] - '0');
	look(seen, "beginning of work", i, schedule_work[i][0], span->start_ns,
	     span->flags);
	look(seen, "end of work", i, schedule_work[i][1], span->end_ns,
	     span->flags);
}

static int on_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                        const struct gt_host_span_view *span)
{
	struct schedule_seen *seen = of(sink);
	const struct schedule_turns *turns = &schedule_turns[span->vcpu];
	size_t i;

	(void)trace;
	if (span->kind == GT_HOST_WORK) {
		look_at_work(seen, span);
		return 0;
	}
	i = seen->turns[span->vcpu]++;
	look(seen, "entry or exit", i, turns->ps[i], span->start_ns,
	     span->flags);
	look(seen, "exit or entry", i + 1, turns->ps[i + 1], span->end_ns,
	     span->flags);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)trace;
	of(sink)->summary = *summary;
	of(sink)->summary.lost_records = NULL;
	of(sink)->ended = true;
	return 0;
}

void schedule_sink(struct schedule_seen *seen)
{
	*seen = (struct schedule_seen){
		.sink = {.event = on_event,
	                 .close = on_close,
	                 .host_span = on_host_span,
	                 .end = on_end},
		.worst_of = "nothing",
	};
}

void schedule_replay(struct memfile *file, struct schedule_seen *seen)
{
	struct gt_sink *const sinks[] = {&seen->sink};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = file,
		.sinks = sinks,
		.sink_count = 1,
	};

	schedule_sink(seen);
	file->done = 0;
	if (gt_replay(&options) < 0)
		abort();
}
