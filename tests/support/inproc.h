/* SPDX-License-Identifier: MIT */
/*
 * A guest inside the test's own process: the guest library records into the
 * test's memory, and the host library reads it through page tables that map
 * this process one to one. The clock is the test's, so that every time is
 * known.
 */
#ifndef INPROC_H
#define INPROC_H

#include "process_memory.h"

/* One tick is one nanosecond; each reading moves the clock on by one. */
extern uint64_t inproc_now;
extern struct gt_host *inproc_host; /* NULL: nobody answers the doorbell */
extern unsigned inproc_doorbells;

/* Called by the doorbell before the host sees it, unless NULL. */
extern void (*inproc_on_doorbell)(void);

/* For cmocka: no host, no text, nobody at the doorbell. */
int inproc_teardown(void **unused);

/* Options for a host that sees this process: clock, memory, fixed random. */
struct gt_host_options inproc_options(void);

/* Writes what it is shown as lines into a buffer: see inproc_text(). */
struct gt_sink *inproc_sink(void);

/*
 * All lines so far, oldest first, until the next inproc_clear(). A line is
 * "open NAME id<parent key=value ..." and alike; ids are those of the guest.
 */
const char *inproc_text(void);
void inproc_clear(void);
extern struct gt_summary inproc_summary; /* of the last `end` */

#endif
