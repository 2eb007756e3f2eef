/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: HALF_CALL=NAME:N, and the nth call of that name in the process
 * does half of what it was asked for, as it may. Unlike a result that strace
 * makes up, what it says to have done is done.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How many bytes this call is to be for. */
static size_t part_of(const char *name, size_t count)
{
	static _Atomic unsigned long calls;
	const char *wanted = getenv("HALF_CALL");
	size_t length = strlen(name);

	/* An eventfd takes its 8 bytes or none. */
	if (count <= 8 || !wanted || strncmp(wanted, name, length) != 0 ||
	    wanted[length] != ':')
		return count;
	return atomic_fetch_add(&calls, 1) + 1 ==
	                       strtoul(wanted + length + 1, NULL, 10)
	               ? count / 2
	               : count;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	return syscall(SYS_write, fd, bytes, part_of("write", count));
}

ssize_t read(int fd, void *bytes, size_t count)
{
	return syscall(SYS_read, fd, bytes, part_of("read", count));
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at)
{
	return syscall(SYS_pread64, fd, bytes, part_of("pread", count), at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return syscall(SYS_pwrite64, fd, bytes, part_of("pwrite", count), at);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
	return syscall(SYS_sendto, fd, bytes, part_of("send", count), flags,
	               NULL, 0);
}

ssize_t recv(int fd, void *bytes, size_t count, int flags)
{
	return syscall(SYS_recvfrom, fd, bytes, part_of("recv", count), flags,
	               NULL, NULL);
}
