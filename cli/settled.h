/* SPDX-License-Identifier: MIT */
/* Whether a capture has all that its run had recorded: keeper.h. */
#ifndef GT_CLI_SETTLED_H
#define GT_CLI_SETTLED_H

/*
 * Waits a little for whoever still writes it, as the process beside a run that
 * was killed does. Says how complete it is and how its run ended. 1: it has its
 * end, and nothing in it is damaged; 0: it has not; -1: complained of it.
 */
int settled_look(const char *path);

#endif
