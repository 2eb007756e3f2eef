/* SPDX-License-Identifier: MIT */
/* What the directory of a spool holds. */
#include "spool_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No spool writes more: the last request of a segment may go alone over it. */
#define SEGMENT_BYTES_MAX                                   \
	(GT__SPOOL_SEGMENT_BYTES + GT__SPOOL_HEADER_BYTES + \
	 GT__REQUEST_BYTES_MAX)

void gt__spool_each(const struct gt__spool *spool, const char *suffix,
                    void (*look)(void *context, const char *name),
                    void *context)
{
	int fd = openat(spool->directory_fd, ".",
	                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t length = strlen(suffix);

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(directory))) {
		size_t count = strlen(entry->d_name);

		if (count > GT__SPOOL_WRITER_BYTES &&
		    count < GT__SPOOL_NAME_BYTES &&
		    !strcmp(entry->d_name + count - length, suffix))
			look(context, entry->d_name);
	}
	closedir(directory);
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

/* ---- Size ---------------------------------------------------------------- */

struct sum {
	const struct gt__spool *spool;
	uint64_t bytes;
};

static void add_size(void *context, const char *name)
{
	struct sum *sum = context;
	struct stat info;

	if (fstatat(sum->spool->directory_fd, name, &info,
	            AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(info.st_mode))
		sum->bytes += (uint64_t)info.st_size;
}

uint64_t gt__spool_bytes(const struct gt__spool *spool)
{
	struct sum sum = {spool, 0};

	gt__spool_each(spool, ".gtspool", add_size, &sum);
	return sum.bytes;
}

/* ---- Segments ------------------------------------------------------------ */

struct names {
	char (*names)[GT__SPOOL_NAME_BYTES];
	size_t count;
	bool failed;
};

static void add_name(void *context, const char *name)
{
	struct names *names = context;
	void *more;

	if (!(names->count & (names->count - 1))) { /* doubles */
		more = realloc(names->names,
		               (2 * names->count + 1) * sizeof *names->names);
		if (!more) {
			names->failed = true;
			return;
		}
		names->names = more;
	}
	strcpy(names->names[names->count++], name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Counts what waits; bytes in no frame count as damaged when they are read. */
static void count_frames(struct gt__spool_segment *segment)
{
	struct gt__spool_frame frame;
	uint64_t at = 0, skipped;

	while (gt__spool_find(segment->fd, segment->seed, at, segment->end,
	                      &frame, &skipped) == 1) {
		if (frame.state == GT__SPOOL_WAITING) {
			segment->waiting_frames++;
			segment->waiting_spans += frame.spans;
		}
		at = gt__spool_frame_end(&frame);
	}
}

static int add_segment(struct gt__spool *spool, const char *name)
{
	struct gt__spool_segment *segment = calloc(1, sizeof *segment);
	struct stat info;

	if (!segment)
		return -ENOMEM;
	strcpy(segment->name, name);
	segment->seed = gt__spool_seed(name);
	segment->number = strtoull(name + GT__SPOOL_WRITER_BYTES + 1, NULL, 10);
	segment->found = segment->whole = true;
	segment->fd = gt__spool_open_file(spool, name, O_RDWR);
	if (segment->fd < 0 || fstat(segment->fd, &info) < 0 ||
	    info.st_size > SEGMENT_BYTES_MAX) {
		if (segment->fd >= 0)
			close(segment->fd);
		free(segment); /* somebody else's, or a link: left alone */
		return 0;
	}
	segment->end = (uint64_t)info.st_size;
	count_frames(segment);
	close(segment->fd);
	segment->fd = -1;
	*spool->last = segment;
	spool->last = &segment->next;
	spool->counts.found_waiting += segment->waiting_spans;
	return 0;
}

int gt__spool_scan(struct gt__spool *spool)
{
	struct names names = {NULL, 0, false};
	int rc = 0;
	size_t i;

	gt__spool_each(spool, ".gtspool", add_name, &names);
	if (names.failed)
		rc = -ENOMEM;
	if (names.count)
		qsort(names.names, names.count, sizeof *names.names, compare);
	for (i = 0; !rc && i < names.count; i++) {
		char writer[GT__SPOOL_WRITER_BYTES + 1] = "";

		memcpy(writer, names.names[i], GT__SPOOL_WRITER_BYTES);
		if (!gt__spool_writer_lives(spool, writer))
			rc = add_segment(spool, names.names[i]);
	}
	free(names.names);
	return rc;
}
