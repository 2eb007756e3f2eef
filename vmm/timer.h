/* SPDX-License-Identifier: MIT */
/*
 * The timer of a vCPU, which its guest arms: when it is due, that it is until
 * it is delivered, and an `hlt` that waits for it. Knows no backend.
 *
 * All is the vCPU's own thread's, but for what the watchdog looks at.
 */
#ifndef TIMER_H
#define TIMER_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VM__TIMER_VECTOR 32u
#define VM__TIMER_NEVER  UINT64_MAX

struct vm__vcpu;

struct vm__timer {
	uint64_t period_ns; /* 0: not armed */
	uint64_t next_ns;   /* CLOCK_MONOTONIC, likewise `alarm_ns` */
	bool pending;       /* due, and not delivered yet */
	bool open;   /* at its last exit the vCPU would take an interrupt */
	bool asleep; /* in an `hlt`, until it is due */
	/* From here on the watchdog reads, too: it wakes or stops the vCPU at
	 * `alarm_ns`, again and again until that has moved. */
	_Atomic uint64_t alarm_ns;
	atomic_bool waits;
	sem_t wake;
};

/* What a snapshot has of it. */
struct vm__timer_state {
	uint64_t period_ns, left_ns;
	uint32_t pending, asleep;
};

void vm__timer_init(struct vm__timer *timer);
void vm__timer_fini(struct vm__timer *timer);

/* The guest's word: 0 disarms it, and forgets what is pending. */
void vm__timer_arm(struct vm__vcpu *vcpu, uint32_t period_us);

/* Looks at the clock; whether a tick is to be delivered. */
bool vm__timer_due(struct vm__vcpu *vcpu);

/* It was delivered. */
void vm__timer_taken(struct vm__vcpu *vcpu);

/* The guest does not take it now: stop the vCPU soon, to look again. */
void vm__timer_retry(struct vm__vcpu *vcpu);

/* A vCPU that is asleep waits: until a tick is due or the run is to stop. */
void vm__timer_wait(struct vm__vcpu *vcpu);

/* Of a vCPU that is not running. False: no timer can be like that. */
struct vm__timer_state vm__timer_save(const struct vm__timer *timer);
bool vm__timer_restore(struct vm__timer *timer,
                       const struct vm__timer_state *state);

/* Any thread: lets a vCPU that waits look. */
static inline void vm__timer_poke(struct vm__timer *timer)
{
	if (atomic_load(&timer->waits))
		sem_post(&timer->wake);
}

#endif
