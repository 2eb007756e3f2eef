/* SPDX-License-Identifier: MIT */
/*
 * The rings of one vCPU as the host has them: what was read and not yet shown,
 * per nesting level, merged by TSC. A nested record waits until the level below
 * it has got past the record that it interrupted; where threads are preempted
 * inside records, any record waits for all other levels.
 */
#ifndef GT_HOST_LEVELS_H
#define GT_HOST_LEVELS_H

#include "host/decode/native.h"

/* Nested records that wait; more are shown though they may come too early. */
#define GT__HELD_BYTES_MAX (UINT32_C(1) << 20)

struct gt__level {
	uint8_t *bytes; /* read, not shown: [done, count) */
	size_t done, count, room;
	uint64_t pos; /* of bytes[done] */
	uint64_t block_bytes;
	uint64_t bad_from, bad_to; /* skipped of late: the reader's to clear */
	/* The record at `done`, when `length` is not 0. */
	struct gt__record head;
	size_t length;
};

struct gt__levels {
	struct gt__level level[GT_LEVELS];
	uint32_t inside;  /* bit per level: somebody is in a record */
	bool preemptible; /* who is inside may be older than any other level */
};

struct gt__merged {
	const struct gt__record *record; /* until the levels are used again */
	uint64_t pos;
	uint32_t level;
};

void gt__levels_fini(struct gt__levels *levels);

/*
 * Adds bytes that were read from position `pos` of a level. Unless they follow
 * what is there (level->pos + what is left), that must be shown before, as
 * gt__levels_peek() tells with `all`. -ENOMEM. `bytes` may be NULL for none.
 */
int gt__level_add(struct gt__level *level, uint64_t pos, const uint8_t *bytes,
                  size_t count);

/*
 * The next record in the order of time; false: none, or it must wait. `all`:
 * nothing waits. What is no record is skipped up to the next block and counted.
 */
bool gt__levels_peek(struct gt__levels *levels, const struct gt__sites *sites,
                     bool all, struct gt_losses *losses,
                     struct gt__merged *ret_merged);

/* Past the record that was seen last; its bytes are still there. */
void gt__levels_take(struct gt__levels *levels, const struct gt__merged *seen);

/* Gives back large memory that holds nothing. */
void gt__levels_trim(struct gt__levels *levels);

#endif
