/* SPDX-License-Identifier: MIT */
/* A capture in memory: written by the host library, read by the reader. */
#ifndef GUESTTRACE_TESTS_MEMFILE_H
#define GUESTTRACE_TESTS_MEMFILE_H

#include "textsink.h"

#include <guesttrace/host.h>
#include <stdlib.h>
#include <string.h>

struct memfile {
	uint8_t *bytes;
	size_t count, room;
	size_t done;  /* read so far */
	size_t piece; /* most that one read gives; 0: all that is asked for */
};

static inline int memfile_write(void *context, const void *bytes, size_t count)
{
	struct memfile *file = context;

	if (file->room - file->count < count) {
		file->room = 2 * (file->count + count);
		file->bytes = realloc(file->bytes, file->room);
		if (!file->bytes)
			abort();
	}
	if (count)
		memcpy(file->bytes + file->count, bytes, count);
	file->count += count;
	return 0;
}

static inline long memfile_read(void *context, void *bytes, size_t count)
{
	struct memfile *file = context;

	if (file->piece && count > file->piece)
		count = file->piece;
	if (count > file->count - file->done)
		count = file->count - file->done;
	if (count)
		memcpy(bytes, file->bytes + file->done, count);
	file->done += count;
	return (long)count;
}

/* Replays the first `count` bytes into `sink`, whose old text goes. */
static inline int memfile_replay(struct memfile *file, size_t count,
                                 struct textsink *sink)
{
	struct memfile part = *file;
	struct gt_sink *const sinks[] = {&sink->sink};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = &part,
		.sinks = sinks,
		.sink_count = 1,
	};

	part.count = count;
	part.done = 0;
	sink->count = 0;
	if (sink->text)
		*sink->text = '\0';
	return gt_replay(&options);
}

#endif
