/* SPDX-License-Identifier: MIT */
#include "inputs.h"
#include "command.h"
#include "places.h"
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int input_open(const char *path)
{
	int fd = place_is_stream(path) ? STDIN_FILENO
	                               : open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void input_close(int fd)
{
	if (fd > STDIN_FILENO)
		close(fd);
}

long read_file(void *context, void *bytes, size_t count)
{
	const int *fd = context;
	ssize_t got;

	do
		got = read(*fd, bytes, count);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int copy_all(int from, int to)
{
	uint8_t bytes[4000];
	long got = 1;

	while (got > 0) {
		got = read_file(&from, bytes, sizeof(bytes));
		if (got > 0) {
			int r = write_whole(to, false, bytes, (size_t)got);

			if (r < 0)
				return r;
		}
	}
	return (int)got;
}

int input_open_whole(const char *path)
{
	int fd = input_open(path), copy, r;
	struct stat info;

	if (fd < 0 || (fstat(fd, &info) == 0 &&
	               (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))))
		return fd;
	copy = memfd_create("input", MFD_CLOEXEC);
	r = copy < 0 ? -errno : copy_all(fd, copy);
	if (r == 0 && lseek(copy, 0, SEEK_SET) < 0)
		r = -errno;
	input_close(fd);
	if (r == 0)
		return copy;
	if (copy >= 0)
		close(copy);
	return r;
}

bool inputs_are_apart(char *const *paths, int count)
{
	int streams = 0;

	for (int i = 0; i < count; i++)
		streams += place_is_stream(paths[i]);
	if (streams > 1)
		complain("standard input can be read only once, not %d times",
		         streams);
	return streams <= 1;
}
