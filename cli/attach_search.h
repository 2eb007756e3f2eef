/* SPDX-License-Identifier: MIT */
/*
 * Guests that do not say where their page tables are: programs in user mode,
 * and what was built with an older recorder. All that is there of the VM's
 * memory is copied once, and page tables are looked for in that as `salvage`
 * does.
 */
#ifndef GT_CLI_ATTACH_SEARCH_H
#define GT_CLI_ATTACH_SEARCH_H

#include "attach_find.h"

/*
 * Adds the guests of `silent`, control blocks of one memory, that page tables
 * lead to; the layouts are tried until there are some. 0 or a negative errno.
 */
int attach_search(struct attach_memory *memory,
                  const struct gt_found_control *silent, size_t count);

#endif
