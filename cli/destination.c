/* SPDX-License-Identifier: MIT */
#include "destination.h"
#include "command.h"
#include "outlets.h"
#include "places.h"
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 100 /* of a file beside another, that are tried */

static void remove_temporary(const void *path)
{
	unlinkat(AT_FDCWD, path, 0);
}

static void forget(struct destination *destination)
{
	leftovers_forget(&destination->leftover);
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

static bool is_fifo(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISFIFO(info.st_mode);
}

/*
 * Waits for who reads it, as open() would, but no longer than a run may. With
 * O_NONBLOCK, which whoever writes there can bear.
 */
static int open_fifo(const char *path)
{
	const struct timespec a_while = {.tv_nsec = 5000000};
	int fd;

	for (;;) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || errno != ENXIO)
			return fd < 0 ? -errno : fd;
		if (outlets_are_in_a_hurry())
			return -ETIMEDOUT;
		ppoll(NULL, 0, &a_while, NULL);
	}
}

static int open_special(const char *path)
{
	int fd;

	if (is_fifo(path))
		return open_fifo(path);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_in_place(const char *path, mode_t mode)
{
	int fd = is_special(path)
	                 ? open_special(path)
	                 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && !is_special(path))
		r = take_file(fd);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * Makes a new file beside the one that it is to replace. Nobody else has it:
 * neither another process that writes the same, nor whoever has put a link in
 * its place.
 */
static int make_beside(struct destination *destination, mode_t mode)
{
	int fd = -1;

	for (unsigned i = 0; fd < 0 && i < NAMES_MAX; i++) {
		free(destination->temporary);
		if (asprintf(&destination->temporary, "%s.%ld-%u.partial",
		             destination->path, (long)getpid(), i) < 0) {
			destination->temporary = NULL;
			return -ENOMEM;
		}
		fd = open(destination->temporary,
		          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/* With the mode of the one that it replaces. */
static int open_beside(struct destination *destination, mode_t new_mode)
{
	struct stat info;
	bool replaces = stat(destination->path, &info) == 0;
	mode_t mode = replaces ? info.st_mode & 0777 : new_mode;
	sigset_t before;
	int fd;

	leftovers_hold(&before);
	fd = make_beside(destination, mode);
	if (fd >= 0) {
		destination->leftover = (struct leftover){
			remove_temporary, destination->temporary};
		leftovers_add(&destination->leftover);
	}
	leftovers_release(&before);
	if (fd >= 0 && replaces)
		fchmod(fd, mode); /* what the umask has taken */
	return fd;
}

/* It exists, and by that name: /dev/fd/3 may lead to a file that has none. */
static bool is_named(const char *path, const char *name)
{
	struct stat it, named;

	return stat(path, &it) < 0 ||
	       (stat(name, &named) == 0 && it.st_dev == named.st_dev &&
	        it.st_ino == named.st_ino);
}

/* A file beside it, or itself if it is a device, a pipe or without a name. */
static int open_apart(struct destination *destination, const char *path,
                      mode_t mode)
{
	char *name;
	int r;

	if (!*path)
		return -ENOENT; /* no name for the file beside it, either */
	r = place_follow(path, &name);
	if (r < 0)
		return r;
	if (is_special(path) || !is_named(path, name)) {
		free(name);
		return open_special(path);
	}
	free(destination->path);
	destination->path = name;
	return open_beside(destination, mode);
}

static const char *why(int r)
{
	switch (r) {
	case -EBUSY:
		return "another process is writing it";
	case -ETIMEDOUT:
		return "nobody reads it";
	default:
		return code_text(r);
	}
}

static int open_path(struct destination *destination, const char *path,
                     bool in_place, mode_t mode)
{
	int r;

	destination->path = strdup(path);
	if (!destination->path)
		return -ENOMEM;
	r = in_place ? open_in_place(path, mode)
	             : open_apart(destination, path, mode);
	destination->fd = r;
	return r < 0 ? r : 0;
}

int destination_open(struct destination *destination, const char *path,
                     bool in_place, mode_t mode)
{
	int r = 0;

	*destination = (struct destination){.fd = STDOUT_FILENO};
	/* What is in front of it belongs to somebody. */
	if (!place_is_standard_output(path))
		r = open_path(destination, path, in_place, mode);
	if (r == 0) {
		destination->may_wait = stream_may_wait(destination->fd);
		r = outlet_open(destination->fd, &destination->outlet);
	}
	if (r == 0)
		return 0;
	complain("cannot write %s: %s", place_output_name(path), why(r));
	if (destination->path && destination->fd >= 0) {
		close(destination->fd);
		if (destination->temporary)
			unlinkat(AT_FDCWD, destination->temporary, 0);
	}
	forget(destination);
	return r;
}

static int write_all(void *context, const void *bytes, size_t count)
{
	struct destination *destination = context;
	int r = destination->outlet
	                ? outlet_write(destination->outlet, bytes, count)
	                : write_whole(destination->fd, destination->may_wait,
	                              bytes, count);

	if (r < 0)
		destination->error = r;
	return r;
}

struct gt_output destination_output(struct destination *destination)
{
	return (struct gt_output){write_all, destination};
}

int destination_close(struct destination *destination, bool whole)
{
	int r = destination->outlet ? outlet_close(destination->outlet) : 0;

	if (destination->error)
		r = destination->error;
	if (destination->fd >= 0 && destination->path &&
	    close(destination->fd) < 0 && r == 0)
		r = -errno;
	if (destination->temporary && whole && r == 0 &&
	    renameat(AT_FDCWD, destination->temporary, AT_FDCWD,
	             destination->path) < 0)
		r = -errno;
	if (destination->temporary && (!whole || r < 0))
		unlinkat(AT_FDCWD, destination->temporary, 0);
	if (r < 0)
		complain_of_writing(destination->path, r);
	forget(destination);
	return r;
}
