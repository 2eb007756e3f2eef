/* SPDX-License-Identifier: MIT */
/* Runs in which it is known what is slow, and why. */
#ifndef GUESTTRACE_HTML_PLANTED_H
#define GUESTTRACE_HTML_PLANTED_H

#include "tests/support/synthetic.h"

/*
 * Two runs, "before" and "after", of 300 spans `request` each of which calls
 * `parse` and `work`, and 30 `flush`. Afterwards `work` takes 3 % longer, each
 * `flush` makes four exits to port 0x3f8 of 1 µs instead of one, and request
 * 137, the only one with op=scan, takes 20 times as long, for its `work` does.
 */
void gt__planted_runs(struct syn *s);

/*
 * Two runs of one trace: each `call` of "client" is the parent of a `handle` of
 * "server". The first `handle` links to the last `call`, and is closed on
 * another vCPU.
 */
void gt__joined_runs(struct syn *s);

#endif
