/* SPDX-License-Identifier: MIT */
#include "levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gt__levels_fini(struct gt__levels *levels)
{
	for (unsigned i = 0; i < GT_LEVELS; i++)
		free(levels->level[i].bytes);
	*levels = (struct gt__levels){0};
}

int gt__level_add(struct gt__level *level, uint64_t pos, const uint8_t *bytes,
                  size_t count)
{
	size_t left = level->count - level->done;

	if (left == 0)
		level->pos = pos;
	else
		memmove(level->bytes, level->bytes + level->done, left);
	level->done = 0;
	level->count = left;
	level->length = 0; /* the head pointed into the old place */
	if (count > level->room - left) {
		size_t room = left + count;
		uint8_t *grown = realloc(level->bytes, room);

		if (!grown)
			return -ENOMEM;
		level->bytes = grown;
		level->room = room;
	}
	if (count > 0)
		memcpy(level->bytes + left, bytes, count);
	level->count += count;
	return 0;
}

static void skip(struct gt__level *level, size_t bytes)
{
	level->done += bytes;
	level->pos += bytes;
	level->length = 0;
}

/* No record begins here: the next block has one at its start. */
static void skip_to_block(struct gt__level *level, struct gt_losses *losses)
{
	size_t left = level->count - level->done;
	uint64_t bytes = left;

	/* A capture may say anything; a live block is a power of two. */
	if (level->block_bytes > 0)
		bytes = level->block_bytes - level->pos % level->block_bytes;
	if (bytes > left)
		bytes = left;
	losses->bad_records++;
	losses->bad_bytes += bytes;
	if (level->bad_from == level->bad_to)
		level->bad_from = level->pos;
	level->bad_to = level->pos + bytes;
	skip(level, bytes);
}

/* Reads the record at the front, past pads and what is none. */
static bool fill(struct gt__level *level, const struct gt__sites *sites,
                 struct gt_losses *losses)
{
	while (level->length == 0 && level->done < level->count) {
		level->length = gt__record_read(
			sites, level->bytes + level->done,
			level->count - level->done, &level->head);
		if (level->length == 0)
			skip_to_block(level, losses);
		else if (level->head.kind == GT_RECORD_PAD)
			skip(level, level->length);
	}
	return level->length != 0;
}

/* Somebody on another level is in a record that is older than this one. */
static bool must_wait(const struct gt__levels *levels, unsigned level)
{
	const struct gt__level *waiting = &levels->level[level];
	unsigned others = levels->preemptible ? GT_LEVELS : level;

	for (unsigned other = 0; other < others; other++)
		if (other != level && levels->inside & 1u << other &&
		    levels->level[other].length == 0)
			return waiting->count - waiting->done <=
			       GT__HELD_BYTES_MAX;
	return false;
}

/* Nearly always: then there is nothing to merge. */
static bool nothing_nested(const struct gt__levels *levels)
{
	size_t left = 0;

	for (unsigned i = 1; i < GT_LEVELS; i++)
		left |= levels->level[i].count - levels->level[i].done;
	return left == 0;
}

bool gt__levels_peek(struct gt__levels *levels, const struct gt__sites *sites,
                     bool all, struct gt_losses *losses,
                     struct gt__merged *ret_merged)
{
	struct gt__level *first = NULL;
	unsigned number = 0, count = nothing_nested(levels) ? 1 : GT_LEVELS;

	for (unsigned i = 0; i < count; i++) {
		struct gt__level *level = &levels->level[i];

		if (!fill(level, sites, losses) ||
		    (first && level->head.tsc >= first->head.tsc))
			continue;
		first = level;
		number = i;
	}
	if (!first || (!all && must_wait(levels, number)))
		return false;
	ret_merged->record = &first->head;
	ret_merged->pos = first->pos;
	ret_merged->level = number;
	return true;
}

void gt__levels_take(struct gt__levels *levels, const struct gt__merged *seen)
{
	struct gt__level *level = &levels->level[seen->level];

	skip(level, level->length);
}

void gt__levels_trim(struct gt__levels *levels)
{
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		struct gt__level *level = &levels->level[i];

		if (level->done < level->count ||
		    level->room <= GT__HELD_BYTES_MAX)
			continue;
		free(level->bytes);
		level->bytes = NULL;
		level->done = level->count = level->room = 0;
	}
}
