/* SPDX-License-Identifier: MIT */
/* How spans end: by their close, a loss, a quota, or with the guest. */
#include "spans_inside.h"

#include <stdlib.h>

void gt__spans_end(struct gt__spans *spans, struct gt__open_span *span,
                   uint64_t ns, uint32_t vcpu, unsigned flags)
{
	struct gt_span_view *view;

	if (ns < span->start_ns) { /* by another vCPU's clock */
		ns = span->start_ns;
		flags |= GT_SPAN_ADJUSTED;
	}
	span->flags |= flags;
	spans->summary->spans++;
	while (span->entries)
		gt__context_remove(&spans->contexts, span->entries);
	if (spans->fanout->wants_close) {
		view = gt__view_span(&spans->views, &spans->names, span);
		view->end_ns = ns;
		view->close_vcpu = vcpu;
		gt__fanout_close(spans->fanout, spans->trace, view);
	}
	if (span->trace)
		gt__traces_ended(&spans->traces, span->id, span->trace);
	gt__open_table_remove(&spans->open, span);
}

/* Their openings were lost, or there never were any. */
static void give_up_early(struct gt__spans *spans)
{
	struct gt__early *early;

	while ((early = gt__earlies_take_any(&spans->early))) {
		spans->summary->losses.unknown_spans++;
		free(early);
	}
}

/* Whose close may be among what is missing was perhaps not open any more; a
 * guest that ended by itself rather lost the close. */
static unsigned end_flags(const struct gt__spans *spans,
                          const struct gt__open_span *span)
{
	if (!spans->missing || span->start_ns > spans->missing_ns)
		return GT_SPAN_INTERRUPTED;
	if (spans->summary->ending == GT_ENDING_HALTED)
		return GT_SPAN_CLOSE_LOST;
	return GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST;
}

/* A scope that is in no context's stack has not been open any more. */
static bool is_left(const struct gt__open_span *span)
{
	const struct gt__entry *entry = span->entries;

	return span->left_ns && entry && !entry->earlier;
}

void gt__spans_interrupt(struct gt__spans *spans, uint64_t ns)
{
	struct gt__open_span *span;

	give_up_early(spans);
	while ((span = spans->open.newest)) {
		if (is_left(span))
			gt__spans_end(spans, span, span->left_ns, span->vcpu,
			              GT_SPAN_CLOSE_LOST);
		else
			gt__spans_end(spans, span, ns, span->vcpu,
			              end_flags(spans, span));
	}
}

void gt__spans_missing(struct gt__spans *spans, uint64_t ns)
{
	spans->missing = true;
	if (ns > spans->missing_ns)
		spans->missing_ns = ns;
}
