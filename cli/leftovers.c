/* SPDX-License-Identifier: MIT */
#include "leftovers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#define LEFTOVERS_MAX 32u /* at once: the outputs of a run, a snapshot */

static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static struct leftover *_Atomic leftovers[LEFTOVERS_MAX];

/* The first process of a container is not ended by a signal of its own. */
static void end_by(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	signal(number, SIG_DFL);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + number);
}

void leftovers_end(int number)
{
	for (unsigned i = 0; i < LEFTOVERS_MAX; i++) {
		const struct leftover *one =
			atomic_exchange(&leftovers[i], NULL);

		if (one)
			one->remove(one->what);
	}
	end_by(number);
}

void leftovers_catch_signals(void)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action = {.sa_handler = leftovers_end}, before;

		sigaction(signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void leftovers_hold(sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, ret_before);
}

void leftovers_release(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* With every place taken it is as it was without this: it would be left. */
void leftovers_add(struct leftover *leftover)
{
	bool is_in = false;

	for (unsigned i = 0; i < LEFTOVERS_MAX && !is_in; i++) {
		struct leftover *none = NULL;

		is_in = atomic_compare_exchange_strong(&leftovers[i], &none,
		                                       leftover);
	}
	if (!is_in)
		leftover->remove = NULL;
}

void leftovers_forget(struct leftover *leftover)
{
	bool is_out = !leftover->remove;

	for (unsigned i = 0; i < LEFTOVERS_MAX && !is_out; i++) {
		struct leftover *it = leftover;

		is_out = atomic_compare_exchange_strong(&leftovers[i], &it,
		                                        NULL);
	}
	/* A handler has it in hand on another thread: the end is near. */
	while (!is_out)
		pause();
	leftover->remove = NULL;
}
