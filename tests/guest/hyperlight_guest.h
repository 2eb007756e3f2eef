/* SPDX-License-Identifier: MIT */
/*
 * A guest that records on a Hyperlight wire, and what it sends as text: a line
 * per event, a line "--" behind each batch. The clock ticks with each reading.
 */
#ifndef HYPERLIGHT_GUEST_H
#define HYPERLIGHT_GUEST_H

#include "tests/support/hyperlight_settings.h"

#include <guesttrace/guest.h>

#define V11 GT_WIRE_HYPERLIGHT_0_11
#define V12 GT_WIRE_HYPERLIGHT_0_12

/* Called at the next reading of the clock: while somebody records. */
extern void (*hyperlight_interrupt)(void);

/* Since start() or forget(). */
extern char hyperlight_text[1 << 20];
extern unsigned hyperlight_batches, hyperlight_events;
extern size_t hyperlight_longest;

struct gt_options strict(void);
struct gt_options fixed(void);

/* The text must be this, from then to now. */
void expect(const char *expected);

void forget(void);

/* Before gt_init() with these options: no text, and the call begins at t1. */
gt_encoder_fn *restart(enum gt_wire wire);

/* gt_init() finds the sites of the file that it is called in. */
static inline void start(enum gt_wire wire, struct gt_options options)
{
	options.encoder = restart(wire);
	gt_init(&options);
}

#endif
