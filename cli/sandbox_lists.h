/* SPDX-License-Identifier: MIT */
#ifndef GT_CLI_SANDBOX_LISTS_H
#define GT_CLI_SANDBOX_LISTS_H

#include "sandbox.h"
#include "system_calls.h"

struct sandbox_list {
	struct system_call calls[SYSTEM_CALLS_MAX];
	size_t count;
};

/* What such a thread may call. */
void sandbox_list(enum sandbox_role role, const struct sandbox_plan *plan,
                  struct sandbox_list *ret_list);

#endif
