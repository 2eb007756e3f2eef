/* SPDX-License-Identifier: MIT */
/*
 * How much heap is in use, under a sanitizer too: what was asked for. Without
 * one, what malloc() adds to each allocation as well: up to ALLOCATION_BYTES.
 */
#ifndef GUESTTRACE_TESTS_ALLOCATED_H
#define GUESTTRACE_TESTS_ALLOCATED_H

#include <malloc.h>
#include <stddef.h>

#define ALLOCATION_BYTES 24u /* glibc's size, and rounding to 16 */

__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

static inline size_t allocated_bytes(void)
{
	struct mallinfo2 info;

	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

#endif
