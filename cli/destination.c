/* SPDX-License-Identifier: MIT */
#include "destination.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct destination *destination)
{
	free(destination->path);
	free(destination->temporary);
	*destination = (struct destination){.fd = -1};
}

/* A device or a pipe cannot be replaced by a file of another name. */
static bool is_special(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

/* Only then is what was in it gone. A file system may have no locks. */
static int take_file(int fd)
{
	struct flock whole = {.l_type = F_WRLCK};

	if (fcntl(fd, F_OFD_SETLK, &whole) < 0 &&
	    (errno == EAGAIN || errno == EACCES))
		return -EBUSY;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
}

static int open_in_place(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && !is_special(path))
		r = take_file(fd);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

/* A file of another name, or a device or a pipe. */
static int open_apart(const struct destination *destination, const char *path)
{
	int fd = open(destination->temporary ? destination->temporary : path,
	              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

int destination_open(struct destination *destination, const char *path,
                     bool in_place)
{
	int r;

	*destination = (struct destination){.fd = STDOUT_FILENO};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	destination->path = strdup(path);
	if (!in_place && !is_special(path) &&
	    asprintf(&destination->temporary, "%s.partial", path) < 0)
		destination->temporary = NULL;
	r = in_place ? open_in_place(path) : open_apart(destination, path);
	destination->fd = r;
	if (r >= 0)
		return 0;
	complain("cannot write %s: %s", path,
	         r == -EBUSY ? "another process is writing it" : code_text(r));
	forget(destination);
	return r;
}

static int write_all(void *context, const void *bytes, size_t count)
{
	struct destination *destination = context;
	const char *from = bytes;

	while (count > 0) {
		ssize_t done = write(destination->fd, from, count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			destination->error = -errno;
			return destination->error;
		}
		from += done;
		count -= (size_t)done;
	}
	return 0;
}

struct gt_output destination_output(struct destination *destination)
{
	return (struct gt_output){write_all, destination};
}

int destination_close(struct destination *destination, bool whole)
{
	int r = destination->error;

	if (destination->fd >= 0 && destination->path &&
	    close(destination->fd) < 0 && r == 0)
		r = -errno;
	if (destination->temporary && whole && r == 0 &&
	    rename(destination->temporary, destination->path) < 0)
		r = -errno;
	if (destination->temporary && (!whole || r < 0))
		unlink(destination->temporary);
	if (r < 0)
		complain("cannot write %s: %s",
		         destination->path ? destination->path
		                           : "standard output",
		         code_text(r));
	forget(destination);
	return r;
}
