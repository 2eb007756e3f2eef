/* SPDX-License-Identifier: MIT */
/*
 * Records for a span that is yet to be opened: another vCPU made them, and two
 * clocks that are less than the error bound apart can put them before it. They
 * wait for the opening, a few at most.
 */
#ifndef GT_HOST_EARLY_H
#define GT_HOST_EARLY_H

#include "host/decode/native.h"

#define GT__EARLY_MAX   64u /* records: each opening looks at all */
#define GT__EARLY_BYTES (64u << 10)

struct gt__early {
	struct gt__early *next;
	uint64_t ns;
	uint32_t vcpu, level;
	bool adjusted;
	struct gt__record record; /* its body is behind this */
	uint8_t body[];
};

/* Zeroed is a valid beginning. */
struct gt__earlies {
	struct gt__early *first;
	uint32_t count;
	size_t bytes;
};

/*
 * A copy of `early`, with the body of its record, becomes the last one. False:
 * over the limits, or no memory.
 */
bool gt__earlies_add(struct gt__earlies *earlies,
                     const struct gt__early *early);

/* Takes the first one for this span, to be freed; NULL: none. */
struct gt__early *gt__earlies_take(struct gt__earlies *earlies, uint64_t id);
/* The first of all. */
struct gt__early *gt__earlies_take_any(struct gt__earlies *earlies);

#endif
