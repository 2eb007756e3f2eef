/* SPDX-License-Identifier: MIT */
/* Protobuf, read: what is hostile ends in `bad` and nowhere else. */
#ifndef GUESTTRACE_PROTOBUF_CURSOR_H
#define GUESTTRACE_PROTOBUF_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gt__cursor {
	const unsigned char *at;
	size_t left;
	bool bad;
};

static inline uint64_t gt__take_varint(struct gt__cursor *c)
{
	uint64_t value = 0;
	unsigned shift;

	for (shift = 0; shift < 64 && c->left; shift += 7) {
		unsigned char byte = *c->at++;

		c->left--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	c->bad = true;
	return 0;
}

static inline struct gt__cursor gt__take(struct gt__cursor *c, uint64_t count)
{
	struct gt__cursor part = {c->at, 0, false};

	if (c->left < count) {
		c->bad = true;
		return part;
	}
	part.left = (size_t)count;
	c->at += part.left;
	c->left -= part.left;
	return part;
}

/*
 * The value of a field whose tag was taken: a varint is stored, what has a
 * length is returned, and of anything else there is nothing.
 */
static inline struct gt__cursor
gt__take_value(struct gt__cursor *c, uint64_t tag, uint64_t *ret_varint)
{
	struct gt__cursor part = {c->at, 0, false};

	switch (tag & 7) {
	case 0:
		*ret_varint = gt__take_varint(c);
		break;
	case 1:
		gt__take(c, 8);
		break;
	case 2:
		part = gt__take(c, gt__take_varint(c));
		break;
	case 5:
		gt__take(c, 4);
		break;
	default:
		c->bad = true;
	}
	return part;
}

/* The last varint `number`, or the last message `number` in *ret_message. */
static inline uint64_t gt__find_field(struct gt__cursor c, uint64_t number,
                                      struct gt__cursor *ret_message)
{
	uint64_t found = 0;

	while (c.left && !c.bad) {
		uint64_t tag = gt__take_varint(&c), value = 0;
		struct gt__cursor part = gt__take_value(&c, tag, &value);

		if (c.bad || tag >> 3 != number)
			continue;
		if ((tag & 7) == 0)
			found = value;
		else if (ret_message)
			*ret_message = part;
	}
	return c.bad ? 0 : found;
}

#endif
