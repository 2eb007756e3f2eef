/* SPDX-License-Identifier: MIT */
/* Memory of a process, this one or another, copied by the kernel. */
#ifndef GT_HOST_PROCESS_H
#define GT_HOST_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* An address of that process, for struct iovec. */
static inline void *gt__there(uint64_t address)
{
	union {
		uint64_t address;
		void *pointer;
	} place = {address};

	return place.pointer;
}

/* 0; -EFAULT: not all of it is there; or another errno, such as -ESRCH. */
int gt__process_read(int32_t pid, uint64_t address, void *to, size_t count);
int gt__process_write(int32_t pid, uint64_t address, const void *from,
                      size_t count);

/* Aligned words in their order, each whole; GT_MEMORY_WORDS_MAX at most. */
int gt__process_read_words(int32_t pid, uint64_t address,
                           const uint64_t *offsets, uint64_t *words,
                           size_t count);

#endif
