/* SPDX-License-Identifier: MIT */
/* A capture that is still being written. */
#ifndef GT_CLI_TAIL_H
#define GT_CLI_TAIL_H

#include "outputs.h"

/*
 * Replays the capture into the outputs as it grows, and waits for it to be
 * there, until its end has been read or SIGINT or SIGTERM asks to stop; then
 * what is open is shown as it stands. Complains about what fails. Returns the
 * exit status.
 */
int tail(struct outputs *outputs, const char *path);

#endif
