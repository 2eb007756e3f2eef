/* SPDX-License-Identifier: MIT */
/* What is rare in the protobuf encoding. */
#include "protobuf_bytes.h"

static unsigned char *put_code_point(unsigned char *p, uint32_t c)
{
	if (c < 0x80) {
		*p++ = (unsigned char)c;
		return p;
	}
	if (c < 0x800) {
		*p++ = (unsigned char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*p++ = (unsigned char)(0xe0 | c >> 12);
		} else {
			*p++ = (unsigned char)(0xf0 | c >> 18);
			*p++ = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		}
		*p++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	}
	*p++ = (unsigned char)(0x80 | (c & 0x3f));
	return p;
}

unsigned char *gt__pb_put_utf8(unsigned char *p, struct gt_text text)
{
	size_t at = 0;

	while (at < text.count)
		p = put_code_point(p, gt__next_code_point(&text, &at));
	return p;
}

unsigned char *gt__pb_close_moved(unsigned char *from, size_t room,
                                  size_t count)
{
	unsigned char length[10], *to = from - room;
	size_t bytes = (size_t)(gt__pb_varint(length, count) - length);

	memmove(to + bytes, from, count);
	memcpy(to, length, bytes);
	return to + bytes + count;
}

void gt__pb_late(unsigned char *to, size_t count)
{
	unsigned i;

	for (i = 0; i < GT__PB_LATE_BYTES; i++)
		to[(int)i - (int)GT__PB_LATE_BYTES] =
			(unsigned char)((count >> i * 7 & 0x7f) |
		                        (i + 1 < GT__PB_LATE_BYTES ? 0x80 : 0));
}
