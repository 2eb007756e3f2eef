/* SPDX-License-Identifier: MIT */
/* Numbers for what spans are called, so that nothing is compared as a text. */
#ifndef GUESTTRACE_GROUPS_H
#define GUESTTRACE_GROUPS_H

#include "collect.h"

/*
 * Gives each span the number of its name, target and value of `by`, from 0, in
 * the order in which they are met. False: out of memory.
 */
bool gt__collect_number(struct gt__collect *c, uint32_t *ret_groups);

#endif
