/* SPDX-License-Identifier: MIT */
#ifndef GT_CLI_FREE_MEMORY_H
#define GT_CLI_FREE_MEMORY_H

#include <stdint.h>

/* Bytes that may be taken without anything being swapped out; UINT64_MAX: it is
 * not known. */
uint64_t free_memory(void);

#endif
