/* SPDX-License-Identifier: MIT */
#include "fanout.h"

#include <errno.h>

int gt__fanout_init(struct gt__fanout *fanout, struct gt_sink *const *sinks,
                    size_t count)
{
	*fanout = (struct gt__fanout){.count = 0};
	if (count > GT__SINKS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		const struct gt_sink *sink = sinks[i];

		if (!sink)
			continue;
		fanout->sinks[fanout->count++] = sinks[i];
		fanout->wants_open |= sink->open != NULL;
		fanout->wants_close |= sink->close != NULL;
		fanout->wants_event |= sink->event != NULL;
		fanout->wants_counter |= sink->counter != NULL;
		fanout->wants_host_span |= sink->host_span != NULL;
		fanout->wants_loss |= sink->loss != NULL;
	}
	return 0;
}

/* Calls `function` of each sink that still works and has it. */
#define CALL_ALL_(fanout, function, ...)                               \
	for (size_t i_ = 0; i_ < (fanout)->count; i_++) {              \
		struct gt_sink *sink_ = (fanout)->sinks[i_];           \
		int r_ = sink_ && sink_->function                      \
		                 ? sink_->function(sink_, __VA_ARGS__) \
		                 : 0;                                  \
                                                                       \
		if (r_ < 0) {                                          \
			(fanout)->sinks[i_] = NULL;                    \
			if ((fanout)->error == 0)                      \
				(fanout)->error = r_;                  \
		}                                                      \
	}

void gt__fanout_begin(struct gt__fanout *fanout, const struct gt_trace *trace)
{
	CALL_ALL_(fanout, begin, trace);
}

void gt__fanout_open(struct gt__fanout *fanout, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	CALL_ALL_(fanout, open, trace, span);
}

void gt__fanout_close(struct gt__fanout *fanout, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	CALL_ALL_(fanout, close, trace, span);
}

void gt__fanout_event(struct gt__fanout *fanout, const struct gt_trace *trace,
                      const struct gt_event_view *event)
{
	CALL_ALL_(fanout, event, trace, event);
}

void gt__fanout_counter(struct gt__fanout *fanout, const struct gt_trace *trace,
                        const struct gt_event_view *event)
{
	CALL_ALL_(fanout, counter, trace, event);
}

void gt__fanout_host_span(struct gt__fanout *fanout,
                          const struct gt_trace *trace,
                          const struct gt_host_span_view *span)
{
	CALL_ALL_(fanout, host_span, trace, span);
}

void gt__fanout_loss(struct gt__fanout *fanout, const struct gt_trace *trace,
                     const struct gt_loss_view *loss)
{
	CALL_ALL_(fanout, loss, trace, loss);
}

void gt__fanout_end(struct gt__fanout *fanout, const struct gt_trace *trace,
                    const struct gt_summary *summary)
{
	CALL_ALL_(fanout, end, trace, summary);
}
