/* SPDX-License-Identifier: MIT */
/*
 * Spans, events and counters as few bytes, until the run is over and it is
 * known which of them are looked at: the slowest spans, the median one of each
 * of their names, and what is below these. Only those become spans of a
 * collector. Of the others a duration and a number of the name are what is
 * asked for.
 */
#ifndef GUESTTRACE_SHELF_H
#define GUESTTRACE_SHELF_H

#include "packed.h"

struct gt__span;
struct gt__shelf;

/* For so many of the slowest spans whose names `pattern` finds, or NULL: any.
 * NULL: out of memory. */
struct gt__shelf *gt__shelf_new(uint32_t most, const char *pattern);
void gt__shelf_free(struct gt__shelf *shelf); /* or NULL */

/* A span that has ended, with a trace that is the collector's; of `span` what
 * is chosen is known. 0 or -ENOMEM. */
int gt__shelf_span(struct gt__shelf *shelf, const struct gt__span *span);
int gt__shelf_event(struct gt__shelf *shelf, const struct gt_event_view *event,
                    bool counter);

/* Once, when all is there: what is looked at. 0 or -ENOMEM. */
int gt__shelf_choose(struct gt__shelf *shelf);

/* Behind that, one after the other, in their order: 1, 0 behind the last one,
 * or -ENOMEM. A span becomes that of this index of the collector. */
struct gt__shelved {
	enum gt__packed_kind kind;
	uint32_t group; /* of a span: the number of its name */
	/* Until the next one. */
	struct gt_span_view span;
	struct gt_event_view event;
};
int gt__shelf_next(struct gt__shelf *shelf, uint32_t index,
                   struct gt__shelved *ret_shelved);
/* And then: the collector's span that is the median one of that number,
 * which is that of one of the slowest; else UINT32_MAX. */
uint32_t gt__shelf_median(const struct gt__shelf *shelf, uint32_t group);

#endif
