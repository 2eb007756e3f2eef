/* SPDX-License-Identifier: MIT */
/*
 * A run that gives the same capture on every machine: two vCPUs that are
 * nothing but memory at fixed addresses, under a clock of the test's.
 */
#ifndef GUESTTRACE_TESTS_GOLDEN_RUN_H
#define GUESTTRACE_TESTS_GOLDEN_RUN_H

#include <guesttrace/host.h>

/* Returns what gt_host_new() or gt_host_finish() did. */
int golden_run(struct gt_output capture, struct gt_sink *sink);

#endif
