/* SPDX-License-Identifier: MIT */
/* How the files of a spool are called, found and opened. */
#include "spool_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void gt__spool_segment_name(char *to, const char *writer, uint64_t number)
{
	snprintf(to, GT__SPOOL_NAME_BYTES, "%s-%06" PRIu64 GT__SPOOL_SEGMENT,
	         writer, number);
}

uint64_t gt__spool_number_of(const char *segment)
{
	return strtoull(segment + GT__SPOOL_WRITER_BYTES + 1, NULL, 10);
}

/* As snprintf() makes it: no other spelling of the same numbers. */
static bool is_writer(const char *name)
{
	static const char hex[] = "0123456789abcdef";

	return strspn(name, hex) == 16 && name[16] == '-' &&
	       strspn(name + 17, hex) == 16;
}

static bool is_segment(const char *name)
{
	char writer[GT__SPOOL_WRITER_BYTES + 1] = "";
	char same[GT__SPOOL_NAME_BYTES];

	memcpy(writer, name, GT__SPOOL_WRITER_BYTES);
	if (name[GT__SPOOL_WRITER_BYTES] != '-')
		return false;
	gt__spool_segment_name(same, writer, gt__spool_number_of(name));
	return strcmp(name, same) == 0;
}

static bool is_ours(const char *name, const char *suffix)
{
	if (!is_writer(name))
		return false;
	if (strcmp(suffix, GT__SPOOL_SEGMENT) == 0)
		return is_segment(name);
	return strcmp(name + GT__SPOOL_WRITER_BYTES, suffix) == 0;
}

int gt__spool_each(const struct gt__spool *spool, const char *suffix,
                   void (*look)(void *context, const char *name),
                   void *context)
{
	int fd = openat(spool->directory_fd, ".",
	                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int rc;

	if (!directory) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (errno = 0, (entry = readdir(directory)))
		if (is_ours(entry->d_name, suffix))
			look(context, entry->d_name);
	rc = -errno;
	closedir(directory);
	return rc;
}

int gt__spool_open_file(const struct gt__spool *spool, const char *name,
                        int flags)
{
	struct stat info;
	int fd = openat(spool->directory_fd, name,
	                flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		return -EBADF;
	}
	return fd;
}
