/* SPDX-License-Identifier: MIT */
/*
 * Ends a run that does not end by itself. One thread per run sleeps until the
 * deadline or until somebody barks, then tells the backend to stop, again and
 * again until the run is over: a single request may fall into the gap between
 * a check and the guest's entry and be lost.
 */
#include "vm_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S     UINT64_C(1000000000)
#define REPEAT_NS    UINT64_C(1000000)
#define SLEEP_NS_MAX NS_PER_S /* who is to wake it may fail to */

uint64_t vm__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Until `ns` have passed or the eventfd is written; takes what it holds. */
static void nap(const struct vm__watchdog *dog, uint64_t ns)
{
	struct pollfd fd = {.fd = dog->wake_fd, .events = POLLIN};
	struct timespec span = {.tv_sec = (time_t)(ns / NS_PER_S),
	                        .tv_nsec = (long)(ns % NS_PER_S)};
	uint64_t taken;

	if (ppoll(&fd, 1, &span, NULL) > 0 &&
	    read(dog->wake_fd, &taken, sizeof taken) < 0)
		return; /* nothing to take: only an early wake-up */
}

static uint64_t deadline_after(uint64_t timeout_ns)
{
	uint64_t now = vm__now_ns();

	if (timeout_ns == 0 || timeout_ns > UINT64_MAX - now)
		return UINT64_MAX;
	return now + timeout_ns;
}

static void sleep_until(const struct vm__watchdog *dog, uint64_t deadline_ns)
{
	uint64_t now = vm__now_ns();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

	nap(dog, left < SLEEP_NS_MAX ? left : SLEEP_NS_MAX);
}

static void interrupt_all(struct vm *vm)
{
	for (unsigned i = 0; i < vm->options.vcpus; i++) {
		vm->backend->interrupt(&vm->vcpus[i]);
		vm__timer_poke(&vm->vcpus[i].timer);
	}
}

/*
 * Stops or wakes each vCPU whose timer is due. Returns when it is needed next:
 * a vCPU that has not moved its alarm by then is told again.
 */
static uint64_t ring_alarms(struct vm *vm, uint64_t now)
{
	uint64_t next = VM__TIMER_NEVER;

	for (unsigned i = 0; i < vm->options.vcpus; i++) {
		struct vm__timer *timer = &vm->vcpus[i].timer;
		uint64_t alarm_ns = atomic_load(&timer->alarm_ns);

		if (alarm_ns <= now) {
			vm->backend->interrupt(&vm->vcpus[i]);
			vm__timer_poke(timer);
			alarm_ns = now + REPEAT_NS;
		}
		next = alarm_ns < next ? alarm_ns : next;
	}
	return next;
}

static void *watch(void *arg)
{
	struct vm *vm = arg;
	struct vm__watchdog *dog = &vm->watchdog;
	uint64_t deadline_ns = deadline_after(vm->options.timeout_ns);

	vm__thread_begins(vm, VM_THREAD_WATCHDOG);
	while (atomic_load(&dog->inside) > 0) {
		if (atomic_load(&dog->stop) != VM__STOP_NONE) {
			interrupt_all(vm);
			nap(dog, REPEAT_NS);
		} else if (vm__now_ns() >= deadline_ns) {
			int none = VM__STOP_NONE;

			atomic_compare_exchange_strong(&dog->stop, &none,
			                               VM__STOP_TIMEOUT);
		} else {
			uint64_t alarm_ns = ring_alarms(vm, vm__now_ns());

			sleep_until(dog, alarm_ns < deadline_ns ? alarm_ns
			                                        : deadline_ns);
		}
	}
	return NULL;
}

int vm__watchdog_init(struct vm__watchdog *dog)
{
	atomic_init(&dog->stop, VM__STOP_NONE);
	atomic_init(&dog->inside, 0);
	dog->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return dog->wake_fd < 0 ? -errno : 0;
}

void vm__watchdog_fini(struct vm__watchdog *dog)
{
	if (dog->wake_fd >= 0)
		close(dog->wake_fd);
	dog->wake_fd = -1;
}

static void wake(const struct vm__watchdog *dog)
{
	uint64_t one = 1;

	/* It can only be full, and then the other side wakes anyway. */
	if (write(dog->wake_fd, &one, sizeof one) < 0)
		return;
}

int vm__watchdog_start(struct vm *vm)
{
	struct vm__watchdog *dog = &vm->watchdog;

	atomic_store(&dog->inside, vm->options.vcpus);
	return -pthread_create(&dog->thread, NULL, watch, vm);
}

void vm__watchdog_look(struct vm__watchdog *dog)
{
	wake(dog);
}

void vm__watchdog_left(struct vm__watchdog *dog)
{
	if (atomic_fetch_sub(&dog->inside, 1) == 1)
		wake(dog);
}

void vm__watchdog_join(struct vm__watchdog *dog)
{
	pthread_join(dog->thread, NULL);
}

static bool outranks(enum vm__stop why, int stop)
{
	return stop == VM__STOP_NONE ||
	       (stop == VM__STOP_PAUSE && why != VM__STOP_PAUSE);
}

void vm__watchdog_bark(struct vm__watchdog *dog, enum vm__stop why)
{
	int before = errno, stop = atomic_load(&dog->stop);

	while (outranks(why, stop) &&
	       !atomic_compare_exchange_weak(&dog->stop, &stop, (int)why))
		continue;
	wake(dog);
	errno = before;
}
