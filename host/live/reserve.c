/* SPDX-License-Identifier: MIT */
#include <guesttrace/host_memory.h>

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

int gt_reserve_memory(size_t bytes)
{
#ifdef M_ARENA_MAX
	void *all;

	/* One heap, nothing apart from it, and nothing of it is given back. */
	if (!mallopt(M_ARENA_MAX, 1) || !mallopt(M_MMAP_MAX, 0) ||
	    !mallopt(M_TRIM_THRESHOLD, INT_MAX))
		return -ENOTSUP;
	all = malloc(bytes);
	if (!all)
		return -ENOMEM;
	/* What was freed last is what is given first: it shall be used. */
	__asm__ volatile("" : : "r"(all) : "memory");
	free(all);
	return 0;
#else
	(void)bytes;
	return -ENOTSUP;
#endif
}
