/* SPDX-License-Identifier: MIT */
/*
 * What a guest goes over while it runs, on standard error: a line for each kind
 * as soon as there is something, and then one in five seconds at most, as long
 * as it becomes more.
 */
#ifndef GT_CLI_QUOTA_LINES_H
#define GT_CLI_QUOTA_LINES_H

#include <guesttrace/host.h>

#define QUOTA_KINDS 6u

struct quota_lines { /* zeroed is a valid beginning */
	uint64_t looked_ns;
	uint64_t told[QUOTA_KINDS], told_ns[QUOTA_KINDS];
};

/* To be called now and then, by one thread. */
void quota_lines_look(struct quota_lines *lines, struct gt_host *host);

/* The same at a moment of CLOCK_MONOTONIC, with what is lost by then. */
void quota_lines_say(struct quota_lines *lines, const struct gt_losses *losses,
                     uint64_t now_ns);

#endif
