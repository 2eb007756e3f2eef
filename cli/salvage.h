/* SPDX-License-Identifier: MIT */
/*
 * The guests in a dump. What a guest that is gone has left in its memory comes
 * out by way of the host library as in any VMM: one exit that announces the
 * guest, and its end.
 */
#ifndef GT_CLI_SALVAGE_H
#define GT_CLI_SALVAGE_H

#include "dump.h"
#include "first_pass.h"
#include "ways.h"

#include <guesttrace/host_completion.h>

#define SALVAGE_GUESTS_MAX 64u

/* What the best of the ways to a control block gives. */
struct salvaged {
	uint64_t root, control_gva, control_gpa;
	uint32_t vcpus; /* as the control block says, at least 1 */
	uint32_t tries; /* of ways that worked somehow */
	/* The GVA is the one that the guest itself knows, or it names none. A
	 * kernel's page tables lead to all programs, and then on to the rings
	 * of the one that they are of. */
	bool is_own;
	struct gt_missing missing;
	struct seen seen;
};

struct salvage {
	struct dump dump;
	uint64_t cr3, identity_root;
	bool has_cr3, identity;
	bool keeps_silent; /* guests that have recorded nothing yet */
	uint64_t tsc_khz;    /* 0: not known */
	uint64_t end_ns;     /* of looking, CLOCK_MONOTONIC; 0: never */
	uint64_t written_ns; /* when the dump was written, since 1970 */
	const char *name;    /* of the first file */
	void (*progress)(uint64_t looks, uint64_t of);
	/* Found: */
	struct salvaged guests[SALVAGE_GUESTS_MAX];
	uint32_t count;
	uint32_t layout;   /* of the dump, in which they are */
	uint64_t controls; /* pages that begin as a control block does */
	struct ways *ways; /* while they are followed */
	/* Bytes of records that may be looked at, however many control blocks
	 * there are. */
	uint64_t bytes_left;
	bool spent;
	/* The clock of a pass: host times at both ends. */
	uint64_t tsc[2], realtime_ns[2];
	unsigned readings;
};

/*
 * Finds them, each by the way under which most is right: those that the dump
 * names first. Returns 0, or the error of ways.h that ended the search, in
 * which case there may be more of them.
 */
int salvage_find(struct salvage *s);

/* Whether nothing is missing of what its rings held. */
bool salvage_is_whole(const struct salvaged *guest);

/* Writes the capture of one. Codes of the host library, or of `to`. */
int salvage_write(struct salvage *s, const struct salvaged *guest,
                  const struct gt_output *to);

#endif
