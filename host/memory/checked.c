/* SPDX-License-Identifier: MIT */
/*
 * Copies of memory that may not be there, made by the kernel: where an access
 * of ours would be SIGSEGV or SIGBUS it says EFAULT.
 */
#include "process.h"

#include <guesttrace/host_memory.h>

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

static int whole(ssize_t done, size_t count)
{
	if (done < 0)
		return -errno;
	return (size_t)done == count ? 0 : -EFAULT;
}

int gt__process_read(int32_t pid, uint64_t address, void *to, size_t count)
{
	struct iovec ours = {to, count};
	struct iovec theirs = {gt__there(address), count};

	return whole(process_vm_readv(pid, &ours, 1, &theirs, 1, 0), count);
}

int gt__process_write(int32_t pid, uint64_t address, const void *from,
                      size_t count)
{
	union {
		const void *from;
		void *base; /* which nobody writes to */
	} bytes = {from};
	struct iovec ours = {bytes.base, count};
	struct iovec theirs = {gt__there(address), count};

	return whole(process_vm_writev(pid, &ours, 1, &theirs, 1, 0), count);
}

/* process_vm_readv(2) takes one piece after the other. */
int gt__process_read_words(int32_t pid, uint64_t address,
                           const uint64_t *offsets, uint64_t *words,
                           size_t count)
{
	struct iovec ours = {words, count * sizeof(*words)};
	struct iovec theirs[GT_MEMORY_WORDS_MAX];

	if (count > GT_MEMORY_WORDS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		theirs[i] = (struct iovec){gt__there(address + offsets[i]),
		                           sizeof(*words)};
	return whole(process_vm_readv(pid, &ours, 1, theirs, count, 0),
	             ours.iov_len);
}

static int checked_read(void *host, uint64_t offset, void *to, size_t count)
{
	return gt__process_read(getpid(), (uintptr_t)host + offset, to, count);
}

static int checked_write(void *host, uint64_t offset, const void *from,
                         size_t count)
{
	return gt__process_write(getpid(), (uintptr_t)host + offset, from,
	                         count);
}

static int checked_read_words(void *host, const uint64_t *offsets,
                              uint64_t *words, size_t count)
{
	return gt__process_read_words(getpid(), (uintptr_t)host, offsets, words,
	                              count);
}

const struct gt_memory_access gt_memory_checked = {checked_read, checked_write,
                                                   checked_read_words};
