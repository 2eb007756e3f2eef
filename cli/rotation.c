/* SPDX-License-Identifier: MIT */
#include "rotation.h"
#include "command.h"
#include "errands.h"
#include "outlets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rotated *current(struct rotation *rotation)
{
	return &rotation->files[rotation->current];
}

/*
 * docs/format.md, "Frames": those that a reader can miss. That records are not
 * there it finds by their positions.
 */
static bool may_be_missing(const uint8_t *frame, size_t count)
{
	enum { TYPE_AT = 12, HEAD_BYTES = 16 };
	enum { RECORDS = 4, EXITS = 5, BATCH = 7, MERGE = 8, WORK = 10 };
	unsigned type = 0;

	if (count >= HEAD_BYTES)
		type = frame[TYPE_AT] | (unsigned)frame[TYPE_AT + 1] << 8;
	return type == RECORDS || type == EXITS || type == BATCH ||
	       type == MERGE || type == WORK;
}

/* Each time one frame. */
static int write_counted(void *context, const void *bytes, size_t count)
{
	/* No frame, so that a reader counts it where some are missing. */
	static const char mark[] = "missing: no room";
	struct rotated *to = context;
	struct gt_output output = destination_output(&to->file);
	int r = 0;

	if (to->file.outlet && may_be_missing(bytes, count) &&
	    outlet_is_full(to->file.outlet)) {
		to->is_missing = true;
		to->missing_frames++;
		to->missing_bytes += count;
		return 0;
	}
	if (to->is_missing)
		r = output.write(output.context, mark, sizeof(mark) - 1);
	to->is_missing = false;
	if (r < 0)
		return r;
	atomic_fetch_add(&to->bytes, count);
	return output.write(output.context, bytes, count);
}

static int open_one(struct rotated *to, const char *path)
{
	atomic_store(&to->bytes, 0);
	return destination_open(&to->file, path, true, DESTINATION_PRIVATE);
}

int rotation_open(struct rotation *rotation, const char *path)
{
	int r;

	rotation->path = path;
	r = path ? open_one(&rotation->files[0], path) : 0;
	if (path && r == 0)
		keeper_give(rotation->keeper, rotation->files[0].file.fd);
	return r;
}

struct gt_output rotation_output(struct rotation *rotation)
{
	if (!rotation->path)
		return (struct gt_output){.write = NULL};
	return (struct gt_output){write_counted, current(rotation)};
}

char *rotation_name(const char *path, uint32_t number)
{
	char *name;

	if (number == 0)
		return strdup(path);
	return asprintf(&name, "%s.%u", path, number) < 0 ? NULL : name;
}

/* CAPTURE.3 becomes CAPTURE.4, and so on; the last one is replaced. */
static int rename_one(const struct rotation *rotation, uint32_t from)
{
	char *old = rotation_name(rotation->path, from);
	char *new = rotation_name(rotation->path, from + 1);
	int r = old && new ? 0 : -ENOMEM;

	if (r == 0 && renameat(AT_FDCWD, old, AT_FDCWD, new) < 0 &&
	    errno != ENOENT)
		r = -errno;
	free(old);
	free(new);
	return r;
}

static int make_room(const struct rotation *rotation)
{
	int r = 0;

	for (uint32_t i = rotation->keep - 1; r == 0 && i-- > 0;)
		r = rename_one(rotation, i);
	if (r < 0)
		complain("cannot rename %s: %s", rotation->path, code_text(r));
	return r;
}

/* What comes from now on is in no file. */
static void end(struct rotation *rotation, struct gt_host *host)
{
	rotation->max_bytes = 0;
	gt_host_rotate(host, NULL);
}

/* Opens files: an errand. */
static int open_next(void *context)
{
	struct rotation *rotation = context;
	struct rotated *next = &rotation->files[!rotation->current];
	int r = make_room(rotation);

	if (r == 0)
		r = open_one(next, rotation->path);
	if (r == 0)
		keeper_next(rotation->keeper, next->file.fd);
	return r;
}

/* Likewise, of the one that is not the current one. */
static int close_other(void *context)
{
	struct rotation *rotation = context;

	return destination_close(&rotation->files[!rotation->current].file,
	                         true);
}

static void go_on(struct rotation *rotation, struct gt_host *host)
{
	struct rotated *next = &rotation->files[!rotation->current];
	struct gt_output to = {write_counted, next};
	int r = errand(open_next, rotation);

	if (r == 0)
		r = gt_host_rotate(host, &to);
	if (r == 0)
		rotation->current = !rotation->current;
	errand(close_other, rotation);
	if (r < 0)
		end(rotation, host);
}

void rotation_look(struct rotation *rotation, struct gt_host *host)
{
	struct rotated *now = current(rotation);

	if (rotation->max_bytes == 0 ||
	    atomic_load(&now->bytes) < rotation->max_bytes || now->file.error)
		return;
	if (rotation->keep > 1) {
		go_on(rotation, host);
		return;
	}
	complain("%s is full: what comes from now on is not in it",
	         rotation->path);
	end(rotation, host);
}

int rotation_error(const struct rotation *rotation)
{
	return rotation->files[rotation->current].file.error;
}

int rotation_close(struct rotation *rotation)
{
	const struct rotated *last = current(rotation);
	int r = destination_close(&current(rotation)->file, true);

	if (r < 0 || last->missing_frames == 0)
		return r;
	complain("the capture lacks %" PRIu64 " frames of %" PRIu64
	         " bytes: nobody took them in time",
	         last->missing_frames, last->missing_bytes);
	return -ENOBUFS;
}
