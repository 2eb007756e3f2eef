/* SPDX-License-Identifier: MIT */
/*
 * What the stepped guest and the test that steps it share: one page of the
 * guest's memory. Parents are told by tokens, which the test finds again in the
 * fields of the spans.
 */
#ifndef STEP_BOARD_H
#define STEP_BOARD_H

#include <stdint.h>

enum step_handler {
	STEP_EVENT, /* one event */
	STEP_SCOPE, /* an event in a span of its own */
	STEP_APART, /* opens, enters, exits, closes, and a counter */
	STEP_FILL,  /* more events than the ring has room for, in a span */
	STEP_TURN,  /* an event in another context, and back */
	STEP_HANDLERS
};

#define STEP_DEPTHS  4u /* of a thread: itself and what interrupts it */
#define STEP_THREADS 2u

struct step_board {
	/* By the test, before the start. */
	uint64_t ring_bytes;
	uint64_t mode;   /* enum gt_ring_mode */
	uint64_t rounds; /* of the script */
	uint64_t flushes;
	/* Recorded before it is stepped: how full the ring is, and what shifts
	 * all records. Two of them and a sync record fill a block. */
	uint64_t long_events;
	uint64_t first_bytes;
	/* Its control block says that no site is on, which is not so: a switch
	 * may do without a record. */
	uint64_t quiet;
	/* By the test, at any time: what the next handlers do, outermost first.
	 */
	uint64_t handler[STEP_DEPTHS];
	/* By the guest. */
	uint64_t interrupt_rip; /* enter here to interrupt */
	uint64_t preempt_rip;   /* enter here to end a thread's turn */
	uint64_t second_rip;    /* where the second thread begins */
	uint64_t vcpu_gva;
	uint64_t held_gva; /* not 0: the word there is not 0 while a thread may
	                      not lose its turn */
	uint64_t tokens;   /* given out */
	uint64_t attempts; /* records begun: each at most one ahead of `done` */
	uint64_t done;
	uint64_t switches; /* of `done`, and what is not done yet */
	uint64_t depth;
	uint64_t thread;
	uint64_t switching; /* in gt_switch(), which schedulers do not interrupt
	                     */
	/* What gt_switch() returned for the thread that does not run. */
	uint64_t current[STEP_THREADS];
	/*
	 * Up to four tokens of 16 bits: who may be the parent of what is
	 * recorded now. More than one while the change is under way.
	 */
	uint64_t parents[STEP_THREADS][STEP_DEPTHS];
};

#endif
