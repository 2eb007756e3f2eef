/* SPDX-License-Identifier: MIT */
/* What the directory of a spool holds. */
#include "spool_inside.h"
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

/* ---- Size ---------------------------------------------------------------- */

struct sum {
	const struct gt__spool *spool;
	uint64_t bytes;
};

/* Of a file that a spool may have written: false of links and so on. */
static bool size_of(const struct gt__spool *spool, const char *name,
                    uint64_t *ret_bytes)
{
	struct stat info;

	if (fstatat(spool->directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) <
	            0 ||
	    !S_ISREG(info.st_mode))
		return false;
	*ret_bytes = (uint64_t)info.st_size;
	return true;
}

static void add_size(void *context, const char *name)
{
	struct sum *sum = context;
	uint64_t bytes;

	if (size_of(sum->spool, name, &bytes))
		sum->bytes += bytes;
}

uint64_t gt__spool_bytes(const struct gt__spool *spool)
{
	struct sum sum = {spool, 0};

	gt__spool_each(spool, GT__SPOOL_SEGMENT, add_size, &sum);
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

/*
 * Counts what waits, and the bytes in no frame. One that cannot be read to its
 * end is kept, and so is one with nothing in it that this version has written:
 * it may be of a newer version, or have another name than it was written under.
 */
static void count_frames(struct gt__spool *spool, struct gt__spool_segment *s)
{
	uint64_t at = 0, frames = 0, damaged = 0, skipped;
	struct gt__spool_frame frame;
	int rc;

	while ((rc = gt__spool_find(s->fd, s->seed, at, s->end, &frame,
	                            &skipped)) == 1) {
		if (frame.state == GT__SPOOL_WAITING) {
			s->waiting_frames++;
			s->waiting_spans += frame.spans;
		}
		at = gt__spool_frame_end(&frame);
		damaged += skipped;
		frames++;
	}
	if (!rc)
		damaged += skipped;
	s->keep = rc < 0 ||
	          (!frames && !gt__spool_is_broken_off(s->fd, s->seed, s->end));
	if (s->keep)
		spool->counts.unreadable_files++;
	else
		spool->counts.damaged_bytes += damaged;
	spool->counts.found_waiting += s->waiting_spans;
}

static int add_segment(struct gt__spool *spool, const char *name)
{
	struct gt__spool_segment *segment;
	uint64_t bytes;
	int fd;

	if (!size_of(spool, name, &bytes) || bytes > SEGMENT_BYTES_MAX)
		return 0; /* somebody else's, a link, or gone: left alone */
	fd = gt__spool_open_file(spool, name, O_RDWR);
	if (fd < 0) {
		spool->counts.unreadable_files += fd != -ENOENT;
		return 0;
	}
	segment = calloc(1, sizeof *segment);
	if (!segment) {
		close(fd);
		return -ENOMEM;
	}
	strcpy(segment->name, name);
	segment->seed = gt__spool_seed(name);
	segment->number = gt__spool_number_of(name);
	segment->found = segment->whole = true;
	segment->fd = fd;
	segment->end = bytes;
	count_frames(spool, segment);
	close(segment->fd);
	segment->fd = -1;
	*spool->last = segment;
	spool->last = &segment->next;
	return 0;
}

int gt__spool_scan(struct gt__spool *spool)
{
	struct names names = {NULL, 0, false};
	size_t i;
	int rc = gt__spool_each(spool, GT__SPOOL_SEGMENT, add_name, &names);

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
