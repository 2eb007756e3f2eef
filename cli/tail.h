/* SPDX-License-Identifier: MIT */
/* A capture that is still being written. */
#ifndef GT_CLI_TAIL_H
#define GT_CLI_TAIL_H

#include "outputs.h"

/* Who looks at what has been read so far. */
struct tail_watch {
	/* Before each piece of the file, and every 50 ms while there is none;
	 * `live`: somebody writes it. */
	void (*look)(void *context, bool live);
	void *context;
	bool once; /* the end of the file, as it is, is the end */
};

/*
 * Replays the capture into the outputs as it grows, and waits for it to be
 * there, until its end has been read or SIGINT or SIGTERM asks to stop; then
 * what is open is shown as it stands. Complains about what fails. Returns the
 * exit status. `watch` may be NULL.
 */
int tail(struct outputs *outputs, const char *path,
         const struct tail_watch *watch);

/* As SIGINT does. */
void tail_stop(void);

#endif
