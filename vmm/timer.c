/* SPDX-License-Identifier: MIT */
/*
 * Ticks by the host's clock. One that is due while one is pending is none: as
 * of a PC's timer, of which a slow guest sees fewer.
 */
#include "vm_internal.h"

#define NS_PER_US UINT64_C(1000)
#define RETRY_NS  UINT64_C(100000)

void vm__timer_init(struct vm__timer *timer)
{
	atomic_init(&timer->alarm_ns, VM__TIMER_NEVER);
	atomic_init(&timer->waits, false);
	sem_init(&timer->wake, 0, 0); /* of one process: it cannot fail */
}

void vm__timer_fini(struct vm__timer *timer)
{
	sem_destroy(&timer->wake);
}

static void start(struct vm__timer *timer, uint64_t period_ns, uint64_t left_ns)
{
	timer->period_ns = period_ns;
	timer->next_ns = vm__now_ns() + left_ns;
	atomic_store(&timer->alarm_ns,
	             period_ns ? timer->next_ns : VM__TIMER_NEVER);
}

void vm__timer_arm(struct vm__vcpu *vcpu, uint32_t period_us)
{
	uint64_t period_ns = period_us * NS_PER_US;

	if (period_us && period_us < VM_TIMER_US_MIN)
		period_ns = VM_TIMER_US_MIN * NS_PER_US;
	if (!period_us)
		vcpu->timer.pending = false;
	start(&vcpu->timer, period_ns, period_ns);
	vm__watchdog_look(&vcpu->vm->watchdog);
}

bool vm__timer_due(struct vm__vcpu *vcpu)
{
	struct vm__timer *timer = &vcpu->timer;
	uint64_t now;

	if (!timer->period_ns)
		return false;
	now = vm__now_ns();
	if (now >= timer->next_ns) {
		timer->pending = true;
		timer->next_ns += timer->period_ns;
		if (timer->next_ns <= now)
			timer->next_ns = now + timer->period_ns;
	}
	if (now >= atomic_load(&timer->alarm_ns))
		atomic_store(&timer->alarm_ns, timer->next_ns);
	return timer->pending;
}

void vm__timer_taken(struct vm__vcpu *vcpu)
{
	vcpu->timer.pending = false;
}

/* The watchdog sleeps until the old alarm at most; this one may be earlier. */
void vm__timer_retry(struct vm__vcpu *vcpu)
{
	struct vm__timer *timer = &vcpu->timer;
	uint64_t soon = vm__now_ns() + RETRY_NS;

	if (soon >= atomic_load(&timer->alarm_ns))
		return;
	atomic_store(&timer->alarm_ns, soon);
	vm__watchdog_look(&vcpu->vm->watchdog);
}

/* `waits` before the looks: who changes what they see pokes again and again. */
void vm__timer_wait(struct vm__vcpu *vcpu)
{
	struct vm__timer *timer = &vcpu->timer;

	while (timer->asleep && !vm__stopping(vcpu->vm)) {
		atomic_store(&timer->waits, true);
		if (vm__timer_due(vcpu))
			timer->asleep = false;
		else if (!vm__stopping(vcpu->vm))
			sem_wait(&timer->wake);
		atomic_store(&timer->waits, false);
	}
}

struct vm__timer_state vm__timer_save(const struct vm__timer *timer)
{
	uint64_t now = vm__now_ns();

	return (struct vm__timer_state){
		.period_ns = timer->period_ns,
		.left_ns = timer->period_ns && timer->next_ns > now
	                           ? timer->next_ns - now
	                           : 0,
		.pending = timer->pending,
		.asleep = timer->asleep,
	};
}

bool vm__timer_restore(struct vm__timer *timer,
                       const struct vm__timer_state *state)
{
	uint64_t period_ns = state->period_ns;

	if (period_ns ? period_ns < VM_TIMER_US_MIN * NS_PER_US ||
	                        period_ns > UINT32_MAX * NS_PER_US
	              : state->pending || state->asleep)
		return false;
	if (state->left_ns > period_ns || state->pending > 1 ||
	    state->asleep > 1)
		return false;
	timer->pending = state->pending;
	timer->asleep = state->asleep;
	start(timer, period_ns, state->left_ns);
	return true;
}
