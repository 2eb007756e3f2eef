/* SPDX-License-Identifier: MIT */
/*
 * The protobuf encoding (protobuf.dev/programming-guides/encoding), stored
 * behind a pointer for which the caller has made enough room. Each returns the
 * pointer behind what it stored. Numbers are stored as x86 has them.
 *
 * A nested message is written behind room for its length, of the size that the
 * length usually has; where it turns out to be another, the message is moved.
 * Every length is thus in its shortest form.
 */
#ifndef GUESTTRACE_PROTOBUF_BYTES_H
#define GUESTTRACE_PROTOBUF_BYTES_H

#include "escape.h"
#include <string.h>

/* Bytes for each of a text: a bad one becomes the three of U+FFFD. */
#define GT__PB_GROWTH      3u
/* Length of a message that usually has 128 bytes to 16 KiB. */
#define GT__PB_USUAL_BYTES 2u
/* Length of a message that is too large to be moved; padded. */
#define GT__PB_LATE_BYTES  4u
#define GT__PB_LATE_MAX    ((1u << 28) - 1)

static inline unsigned char *gt__pb_varint(unsigned char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (unsigned char)value;
	return p;
}

static inline unsigned char *gt__pb_fixed64(unsigned char *p, uint64_t value)
{
	memcpy(p, &value, sizeof value);
	return p + sizeof value;
}

static inline unsigned char *gt__pb_fixed32(unsigned char *p, uint32_t value)
{
	memcpy(p, &value, sizeof value);
	return p + sizeof value;
}

/* A field of how many, where there are any; its tag is of one byte. */
static inline unsigned char *gt__pb_count(unsigned char *p, unsigned tag,
                                          uint32_t count)
{
	if (!count)
		return p;
	*p++ = (unsigned char)tag;
	return gt__pb_varint(p, count);
}

/* Without a length: bad bytes replaced. */
unsigned char *gt__pb_put_utf8(unsigned char *p, struct gt_text text);
/* Makes room for the length of `count` bytes at `from`, behind `room` bytes. */
unsigned char *gt__pb_close_moved(unsigned char *from, size_t room,
                                  size_t count);
/* A length of GT__PB_LATE_BYTES, before `to`. At most GT__PB_LATE_MAX. */
void gt__pb_late(unsigned char *to, size_t count);

/* Without a length. Short ones, nearly all there are, without a call. */
__attribute__((always_inline)) static inline unsigned char *
gt__pb_put(unsigned char *p, const char *bytes, size_t count)
{
	if (count - 8 <= 8) { /* 8 to 16: two words that may overlap */
		memcpy(p, bytes, 8);
		memcpy(p + count - 8, bytes + count - 8, 8);
	} else if (count - 17 < 16) {
		memcpy(p, bytes, 16);
		memcpy(p + count - 16, bytes + count - 16, 16);
	} else if (count - 4 < 4) {
		memcpy(p, bytes, 4);
		memcpy(p + count - 4, bytes + count - 4, 4);
	} else if (count < 4) {
		if (count) {
			p[0] = (unsigned char)bytes[0];
			p[count / 2] = (unsigned char)bytes[count / 2];
			p[count - 1] = (unsigned char)bytes[count - 1];
		}
	} else {
		memcpy(p, bytes, count);
	}
	return p + count;
}

/* Ends a message that began at `from`, behind one byte for its length. */
static inline unsigned char *gt__pb_close(unsigned char *from,
                                          unsigned char *to)
{
	size_t count = (size_t)(to - from);

	if (count < 0x80) {
		from[-1] = (unsigned char)count;
		return to;
	}
	return gt__pb_close_moved(from, 1, count);
}

static inline unsigned char *gt__pb_bytes(unsigned char *p, const char *bytes,
                                          size_t count)
{
	return gt__pb_put(gt__pb_varint(p, count), bytes, count);
}

static inline bool gt__pb_is_ascii(struct gt_text text)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	const char *s = text.bytes;
	size_t i = 0, n = text.count;
	uint64_t word = 0, seen = 0;

	if (n < 8) {
		for (; i < n; i++)
			seen |= (unsigned char)s[i];
		return !(seen & 0x80);
	}
	for (; i + 8 < n; i += 8) {
		memcpy(&word, s + i, 8);
		seen |= word;
	}
	memcpy(&word, s + n - 8, 8);
	return !((seen | word) & high);
}

/* Copies 4 to 16 bytes of ASCII as two words, which may overlap. */
static inline bool gt__pb_put_short(unsigned char *p, const char *from,
                                    size_t count)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t first, last;
	uint32_t half, other;

	if (count >= 8) {
		memcpy(&first, from, 8);
		memcpy(&last, from + count - 8, 8);
		memcpy(p, &first, 8);
		memcpy(p + count - 8, &last, 8);
		return !((first | last) & high);
	}
	memcpy(&half, from, 4);
	memcpy(&other, from + count - 4, 4);
	memcpy(p, &half, 4);
	memcpy(p + count - 4, &other, 4);
	return !((half | other) & (uint32_t)high);
}

/* A string. One bad byte would spoil the whole request: it is replaced. */
static inline unsigned char *gt__pb_utf8(unsigned char *p, struct gt_text text)
{
	if (text.count - 4 <= 12 &&
	    gt__pb_put_short(p + 1, text.bytes, text.count)) {
		*p = (unsigned char)text.count;
		return p + 1 + text.count;
	}
	if (gt__pb_is_ascii(text))
		return gt__pb_bytes(p, text.bytes, text.count);
	return gt__pb_close(p + 1, gt__pb_put_utf8(p + 1, text));
}

/* The same behind GT__PB_USUAL_BYTES. */
static inline unsigned char *gt__pb_close_usual(unsigned char *from,
                                                unsigned char *to)
{
	size_t count = (size_t)(to - from);

	if (count - 0x80 < 0x4000 - 0x80) {
		from[-2] = (unsigned char)(count | 0x80);
		from[-1] = (unsigned char)(count >> 7);
		return to;
	}
	return gt__pb_close_moved(from, GT__PB_USUAL_BYTES, count);
}

#endif
