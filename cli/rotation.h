/* SPDX-License-Identifier: MIT */
/*
 * The capture of a run, in one file or, as a flight recorder does, in the last
 * few of a bounded size: CAPTURE is the one being written, CAPTURE.1 the one
 * before, and so on. Each is a capture of its own.
 */
#ifndef GT_CLI_ROTATION_H
#define GT_CLI_ROTATION_H

#include "destination.h"
#include "keeper.h"

#include <guesttrace/host.h>

#include <stdatomic.h>

#define ROTATION_KEEP_MAX 1000u

struct rotated {
	struct destination file;
	_Atomic uint64_t bytes; /* written so far */
	/* Left out of a pipe that was not read in time. */
	uint64_t missing_frames, missing_bytes;
	bool is_missing; /* the frame before */
};

struct rotation {
	const char *path;
	struct keeper *keeper; /* has the file that is being written */
	uint64_t max_bytes; /* of a file, but for what comes while it is looked
	                       at; 0: any */
	uint32_t keep;      /* files; 1: the first one, and no more */
	/* The rest is its own; no file is open, fd -1, before rotation_open().
	 */
	struct rotated files[2]; /* the current one, and the one to come */
	unsigned current;
};

/*
 * Where the capture at `path` is when so many newer ones are full; 0: there.
 * For free(); NULL: no memory.
 */
char *rotation_name(const char *path, uint32_t number);

/* As destination_open() of `path`, which is kept. Harmless with NULL. */
int rotation_open(struct rotation *rotation, const char *path);

/* Where the host writes first. */
struct gt_output rotation_output(struct rotation *rotation);

/*
 * Goes on in the next file if the current one is full. Complains once of what
 * it cannot do; then the capture is over. To be called now and then, by one
 * thread, until gt_host_finish().
 */
void rotation_look(struct rotation *rotation, struct gt_host *host);

/* The first error of writing; 0: none. */
int rotation_error(const struct rotation *rotation);

/* As destination_close(). */
int rotation_close(struct rotation *rotation);

#endif
