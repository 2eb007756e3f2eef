/* SPDX-License-Identifier: MIT */
/* A sink that passes on all that it is shown, and keeps what is told missing.
 */
#ifndef GUESTTRACE_TESTS_TELLING_SINK_H
#define GUESTTRACE_TESTS_TELLING_SINK_H

#include <guesttrace/export.h>

/* What was told to be missing; of a run in which nothing failed, too. */
static struct gt_losses told, wanted_told;

static bool more_is_told(void)
{
	const uint64_t *now = (const uint64_t *)&told;
	const uint64_t *before = (const uint64_t *)&wanted_told;

	for (size_t i = 0; i < sizeof(told) / sizeof(*now); i++)
		if (now[i] > before[i])
			return true;
	return false;
}

struct telling {
	struct gt_sink sink;
	struct gt_sink *to;
};

static struct gt_sink *behind(struct gt_sink *sink)
{
	return ((struct telling *)sink)->to;
}

#define PASS(name, type)                                                     \
	static int on_##name(struct gt_sink *sink,                           \
	                     const struct gt_trace *trace, const type *view) \
	{                                                                    \
		struct gt_sink *to = behind(sink);                           \
                                                                             \
		return to->name ? to->name(to, trace, view) : 0;             \
	}
PASS(open, struct gt_span_view)
PASS(close, struct gt_span_view)
PASS(event, struct gt_event_view)
PASS(counter, struct gt_event_view)
PASS(host_span, struct gt_host_span_view)
PASS(loss, struct gt_loss_view)

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt_sink *to = behind(sink);

	return to->begin ? to->begin(to, trace) : 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	struct gt_sink *to = behind(sink);

	told = summary->losses;
	return to->end ? to->end(to, trace, summary) : 0;
}

static struct telling telling_sink(void)
{
	return (struct telling){{.begin = on_begin,
	                         .open = on_open,
	                         .close = on_close,
	                         .event = on_event,
	                         .counter = on_counter,
	                         .host_span = on_host_span,
	                         .end = on_end,
	                         .loss = on_loss},
	                        NULL};
}

#endif
