/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/file.h>
#include <unistd.h>

static _Atomic unsigned long counts[FAULT_CALLS];
static enum fault_call chosen;
static _Atomic enum fault_kind chosen_kind;
static unsigned long chosen_number;

void faults_begin(enum fault_call call, enum fault_kind kind,
                  unsigned long number)
{
	for (unsigned i = 0; i < FAULT_CALLS; i++)
		counts[i] = 0;
	chosen = call;
	chosen_number = number;
	chosen_kind = kind;
}

unsigned long faults_end(enum fault_call call)
{
	chosen_kind = FAULT_NONE;
	return counts[call];
}

static enum fault_kind next(enum fault_call call)
{
	unsigned long number = atomic_fetch_add(&counts[call], 1);

	if (chosen_kind == FAULT_NONE || call != chosen ||
	    number != chosen_number)
		return FAULT_NONE;
	if (chosen_kind == FAULT_KILLS)
		_exit(0);
	return chosen_kind;
}

/* As errno says, but for what is to be cut. */
static bool fails(enum fault_call call, int error)
{
	if (next(call) != FAULT_FAILS)
		return false;
	errno = error;
	return true;
}

/* ---- Allocations --------------------------------------------------------- */

void *__real_malloc(size_t count);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *old, size_t count);
void *__wrap_malloc(size_t count);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *old, size_t count);

void *__wrap_malloc(size_t count)
{
	return fails(FAULT_ALLOCATION, ENOMEM) ? NULL : __real_malloc(count);
}

void *__wrap_calloc(size_t number, size_t size)
{
	return fails(FAULT_ALLOCATION, ENOMEM) ? NULL
	                                       : __real_calloc(number, size);
}

void *__wrap_realloc(void *old, size_t count)
{
	return fails(FAULT_ALLOCATION, ENOMEM) ? NULL
	                                       : __real_realloc(old, count);
}

/* ---- Files --------------------------------------------------------------- */

int __real_openat64(int at, const char *name, int flags, ...);
ssize_t __real_pread64(int fd, void *to, size_t count, off_t at);
ssize_t __real_pwrite64(int fd, const void *from, size_t count, off_t at);
ssize_t __real_write(int fd, const void *from, size_t count);
int __real_fsync(int fd);
int __real_renameat(int at, const char *from, int to_at, const char *to);
int __real_unlinkat(int at, const char *name, int flags);
int __real_ftruncate64(int fd, off_t count);
int __real_flock(int fd, int how);
int __wrap_openat64(int at, const char *name, int flags, ...);
ssize_t __wrap_pread64(int fd, void *to, size_t count, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t count, off_t at);
ssize_t __wrap_write(int fd, const void *from, size_t count);
int __wrap_fsync(int fd);
int __wrap_renameat(int at, const char *from, int to_at, const char *to);
int __wrap_unlinkat(int at, const char *name, int flags);
int __wrap_ftruncate64(int fd, off_t count);
int __wrap_flock(int fd, int how);

int __wrap_openat64(int at, const char *name, int flags, ...)
{
	va_list arguments;
	int mode = 0;

	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, int);
		va_end(arguments);
	}
	return fails(FAULT_OPEN, EMFILE) ? -1
	                                 : __real_openat64(at, name, flags, mode);
}

ssize_t __wrap_pread64(int fd, void *to, size_t count, off_t at)
{
	enum fault_kind kind = next(FAULT_READ);

	errno = EIO;
	if (kind == FAULT_FAILS)
		return -1;
	return __real_pread64(fd, to, kind == FAULT_IS_CUT ? count / 2 : count,
	                    at);
}

ssize_t __wrap_pwrite64(int fd, const void *from, size_t count, off_t at)
{
	enum fault_kind kind = next(FAULT_WRITE);

	errno = ENOSPC;
	if (kind == FAULT_FAILS)
		return -1;
	return __real_pwrite64(
		fd, from, kind == FAULT_IS_CUT ? (count + 1) / 2 : count, at);
}

ssize_t __wrap_write(int fd, const void *from, size_t count)
{
	enum fault_kind kind = next(FAULT_WRITE);

	errno = ENOSPC;
	if (kind == FAULT_FAILS)
		return -1;
	return __real_write(fd, from,
	                    kind == FAULT_IS_CUT ? (count + 1) / 2 : count);
}

int __wrap_fsync(int fd)
{
	return fails(FAULT_FSYNC, EIO) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int at, const char *from, int to_at, const char *to)
{
	return fails(FAULT_RENAME, EIO) ? -1
	                                : __real_renameat(at, from, to_at, to);
}

int __wrap_unlinkat(int at, const char *name, int flags)
{
	return fails(FAULT_UNLINK, EIO) ? -1 : __real_unlinkat(at, name, flags);
}

int __wrap_ftruncate64(int fd, off_t count)
{
	return fails(FAULT_TRUNCATE, EIO) ? -1 : __real_ftruncate64(fd, count);
}

int __wrap_flock(int fd, int how)
{
	return fails(FAULT_LOCK, EWOULDBLOCK) ? -1 : __real_flock(fd, how);
}
