/* SPDX-License-Identifier: MIT */
/* Several sinks as one: each fails on its own, the first error is kept. */
#ifndef GT_HOST_FANOUT_H
#define GT_HOST_FANOUT_H

#include <guesttrace/export.h>

#define GT__SINKS_MAX 16u

struct gt__fanout {
	struct gt_sink *sinks[GT__SINKS_MAX]; /* NULL once it has failed */
	size_t count;
	int error;
	bool wants_open, wants_close, wants_event, wants_counter;
	bool wants_host_span, wants_loss;
};

/* 0, or -EINVAL for more than GT__SINKS_MAX. NULL sinks are left out. */
int gt__fanout_init(struct gt__fanout *fanout, struct gt_sink *const *sinks,
                    size_t count);

void gt__fanout_begin(struct gt__fanout *fanout, const struct gt_trace *trace);
void gt__fanout_open(struct gt__fanout *fanout, const struct gt_trace *trace,
                     const struct gt_span_view *span);
void gt__fanout_close(struct gt__fanout *fanout, const struct gt_trace *trace,
                      const struct gt_span_view *span);
void gt__fanout_event(struct gt__fanout *fanout, const struct gt_trace *trace,
                      const struct gt_event_view *event);
void gt__fanout_counter(struct gt__fanout *fanout, const struct gt_trace *trace,
                        const struct gt_event_view *event);
void gt__fanout_host_span(struct gt__fanout *fanout,
                          const struct gt_trace *trace,
                          const struct gt_host_span_view *span);
void gt__fanout_loss(struct gt__fanout *fanout, const struct gt_trace *trace,
                     const struct gt_loss_view *loss);
void gt__fanout_end(struct gt__fanout *fanout, const struct gt_trace *trace,
                    const struct gt_summary *summary);

#endif
