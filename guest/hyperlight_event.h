/* SPDX-License-Identifier: MIT */
/* From a call site and its arguments to the draft of an event. */
#ifndef GT_GUEST_HYPERLIGHT_EVENT_H
#define GT_GUEST_HYPERLIGHT_EVENT_H

#include <guesttrace/batch.h>
#include <guesttrace/guest.h>

struct gt__event {
	enum gt_batch_event kind;
	const struct gt_site *site; /* NULL: no texts */
	const uint64_t *arguments;  /* the values, see encoder.h */
	bool keeps_parent;          /* whatever the site says */
	struct gt_batch_numbers numbers;
};

/* How many of the site's fields these wires can carry. */
uint32_t gt__event_fields(const struct gt_site *site);

/*
 * Begins a draft and writes all texts into it; `is_cutting` as for
 * gt__batch_begin_cut(). An explicit parent goes into `event`.
 */
void gt__event_put(struct gt_draft *draft, struct gt_batch *batch,
                   struct gt__event *event, bool is_cutting);

/* The same for late fields, on 0.11. False: the span is not in the batch. */
bool gt__event_grow(struct gt_draft *draft, struct gt_batch *batch,
                    struct gt__event *event);

/* What was remembered of sites is of another wire now. */
void gt__event_forget(void);

#endif
