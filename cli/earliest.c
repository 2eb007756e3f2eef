/* SPDX-License-Identifier: MIT */
#include "earliest.h"
#include "inputs.h"

#include <guesttrace/host.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct beginning {
	struct gt_sink sink; /* first: the two share an address */
	int fd;
	bool seen;
	uint64_t ns;
};

struct capture {
	char *path;
	uint64_t ns;
	int number; /* of two that began at once the first one stays so */
};

static int see(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct beginning *beginning = (struct beginning *)sink;

	beginning->seen = true;
	beginning->ns = trace->start_ns;
	return 0;
}

/* Nothing more once the run has begun. */
static long read_head(void *context, void *bytes, size_t count)
{
	struct beginning *beginning = context;

	return beginning->seen ? 0 : read_file(&beginning->fd, bytes, count);
}

static uint64_t beginning_of(const char *path)
{
	struct beginning beginning = {
		.sink = {.begin = see},
		.fd = open(path, O_RDONLY | O_CLOEXEC),
	};
	struct gt_sink *sinks[] = {&beginning.sink};
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_head,
		.context = &beginning,
		.sinks = sinks,
		.sink_count = 1,
	};

	if (beginning.fd < 0)
		return 0;
	(void)gt_replay(&options); /* whoever exports it says what is wrong */
	close(beginning.fd);
	return beginning.ns;
}

static int compare(const void *left, const void *right)
{
	const struct capture *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return a->number - b->number;
}

void earliest_first(char **paths, int count)
{
	struct capture *captures = calloc((size_t)count, sizeof(*captures));

	for (int i = 0; captures && i < count; i++) {
		struct stat info;

		if (stat(paths[i], &info) < 0 || !S_ISREG(info.st_mode))
			count = 0;
		else
			captures[i] = (struct capture){
				paths[i], beginning_of(paths[i]), i};
	}
	if (captures && count > 0)
		qsort(captures, (size_t)count, sizeof(*captures), compare);
	for (int i = 0; captures && i < count; i++)
		paths[i] = captures[i].path;
	free(captures);
}
