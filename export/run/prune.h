/* SPDX-License-Identifier: MIT */
/* What of a run is shown. */
#ifndef GUESTTRACE_PRUNE_H
#define GUESTTRACE_PRUNE_H

#include "collect.h"
#include "matcher.h"

/*
 * Takes out of c->items what `options` do not ask for, and counts the spans
 * among it. False: out of memory.
 */
bool gt__collect_prune(struct gt__collect *c,
                       const struct gt_report_options *options,
                       uint32_t *ret_hidden);

#endif
