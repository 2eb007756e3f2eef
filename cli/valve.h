/* SPDX-License-Identifier: MIT */
/*
 * A sink before another, whose output somebody may not read: as long as the
 * outlet is full, what comes is left out. A span whose opening was left out
 * ends unseen, too, and one that was shown ends. What is missing is told to the
 * sink as records that are lost, where it goes on and in its summary, so that
 * whoever reads the output sees it.
 */
#ifndef GT_CLI_VALVE_H
#define GT_CLI_VALVE_H

#include "outlets.h"

#include <guesttrace/export.h>

/*
 * Takes `sink`, which it frees, also if it fails with -ENOMEM; `outlet` is the
 * caller's. Of one run of at most VM_VCPUS_MAX vCPUs.
 */
int valve_new(struct gt_sink *sink, struct outlet *outlet,
              struct gt_sink **ret_sink);

/* Complains of what was left out, and returns < 0 then. The names are for the
 * message. */
int valve_report(const struct gt_sink *valve, const char *name,
                 const char *path);

#endif
