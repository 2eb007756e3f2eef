/* SPDX-License-Identifier: MIT */
/*
 * A filter for a wire whose guests record everything: events of spans that it
 * mutes are left out, and spans below them have the next one above for parent,
 * as if the guest itself had not recorded them.
 */
#ifndef GT_HOST_SIEVE_H
#define GT_HOST_SIEVE_H

#include "host/decode/filter.h"

struct gt__sieve {
	struct gt__filter *filter; /* NULL: all pass */
	void *muted;               /* open spans that do not: a search tree */
	uint32_t count, count_max;
};

void gt__sieve_fini(struct gt__sieve *sieve);

/* The guest's span ids start over: what it had open is not known any more. */
void gt__sieve_forget(struct gt__sieve *sieve);

/* From now on that one; it is the sieve's to free. */
void gt__sieve_set(struct gt__sieve *sieve, struct gt__filter *filter);

/*
 * Whether an event is shown; its parent may become another. Of more muted spans
 * than `count_max` at once, and without memory, one is not known any more: what
 * is said of it then is said of a span that nobody knows.
 */
bool gt__sieve_passes(struct gt__sieve *sieve,
                      struct gt_hyperlight_event *event);

#endif
