/* SPDX-License-Identifier: MIT */
/*
 * What must not be left behind when a signal ends the process: files that are
 * not whole. From leftovers_catch_signals() on SIGHUP, SIGINT, SIGQUIT and
 * SIGTERM remove them first; who ignores one of these goes on ignoring it.
 */
#ifndef GT_CLI_LEFTOVERS_H
#define GT_CLI_LEFTOVERS_H

#include <signal.h>

struct leftover {
	/* Async-signal-safe; `what` is all that it may touch. */
	void (*remove)(const void *what);
	const void *what;
};

void leftovers_catch_signals(void);

/* Removes them and ends by that signal, in a handler of it. */
void leftovers_end(int number);

/* In between, in this thread, none of them comes: to make one and add it. */
void leftovers_hold(sigset_t *ret_before);
void leftovers_release(const sigset_t *before);

/* `leftover` is borrowed until it is forgotten; what it leads to stays as it
 * is, or grows in a way that `remove` may meet. Any thread. */
void leftovers_add(struct leftover *leftover);

/* It is whole, or gone. Harmless if it was not added. */
void leftovers_forget(struct leftover *leftover);

#endif
