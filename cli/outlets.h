/* SPDX-License-Identifier: MIT */
/*
 * Pipes, sockets and terminals that a run writes to: one thread writes to all
 * of them, from a queue for each, so that no other thread waits for who reads.
 *
 * As long as the guest runs, outlet_write() never waits: who has something to
 * leave out looks at outlet_is_full() before. Once the guest is gone it waits
 * for room, and nothing more need be left out. When the run was told to end,
 * an outlet of which nobody takes anything for a while is given up.
 *
 * Files and other devices need none of this. Threads: all functions may be
 * called from any.
 */
#ifndef GT_CLI_OUTLETS_H
#define GT_CLI_OUTLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTLETS_BYTES_DEFAULT ((size_t)64 << 20) /* that may wait, of each */
#define OUTLETS_PATIENCE_MS   50u    /* for one of which nothing is taken */
#define OUTLETS_LEFT_MS       10000u /* for all that is left, in the end */

struct outlet;

/*
 * Starts the thread; 0 or a negative errno. From then on what complain() says
 * goes through an outlet, too. `bytes`: over that much one is full;
 * `patience_ns`, once the run was told to end. 0: the defaults.
 */
int outlets_start(size_t bytes, uint64_t patience_ns);

/* The guest is gone: from here on writing waits for room. */
void outlets_guest_is_gone(void);

/*
 * From that moment of CLOCK_MONOTONIC on an outlet is given up of which nobody
 * has taken anything for `patience_ns`, and OUTLETS_LEFT_MS later all are; 0:
 * none is, as at the beginning. May be called by a signal handler.
 */
void outlets_hurry(uint64_t from_ns);
/* That moment has come. */
bool outlets_are_in_a_hurry(void);

/* Waits until all is written or given up, and ends the thread. Harmless when
 * there is none. */
void outlets_stop(void);

/*
 * Of a descriptor that stays open until outlet_close(). *ret_outlet is NULL if
 * it needs none, or if there is no thread. 0 or a negative errno.
 */
int outlet_open(int fd, struct outlet **ret_outlet);

/* 0, or the first error of writing there; -ETIMEDOUT: it was given up. */
int outlet_write(struct outlet *outlet, const void *bytes, size_t count);

/*
 * More than its share waits, and half of that has not been written since. Never
 * once the guest is gone, nor of one that has failed.
 */
bool outlet_is_full(struct outlet *outlet);

/* Waits until all is written; as outlet_write(). */
int outlet_close(struct outlet *outlet);

#endif
