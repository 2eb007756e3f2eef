/* SPDX-License-Identifier: MIT */
/* How much heap is in use, under a sanitizer too. */
#ifndef GUESTTRACE_TESTS_ALLOCATED_H
#define GUESTTRACE_TESTS_ALLOCATED_H

#include <malloc.h>
#include <stddef.h>

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
