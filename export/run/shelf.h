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

#include <guesttrace/export.h>

struct gt__collect;
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

/* What is looked at becomes the collector's, once; with the numbers of their
 * names. 0 or -ENOMEM. */
int gt__shelf_take(struct gt__shelf *shelf, struct gt__collect *c);
/* Behind that: the collector's span that is the median one of that number,
 * which is that of one of the slowest; else UINT32_MAX. */
uint32_t gt__shelf_median(const struct gt__shelf *shelf, uint32_t group);

#endif
