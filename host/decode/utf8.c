/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <string.h>

/*
 * The length of the well-formed sequence at `at`, or minus the length of the
 * ill-formed part that one U+FFFD stands for. `left` > 0.
 */
static int sequence(const uint8_t *at, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	int length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return -1;
	length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < length; i++) {
		if ((size_t)i >= left || at[i] < low || at[i] > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static size_t ascii_words(const uint8_t *bytes, size_t count)
{
	size_t done = 0;
	uint64_t word;

	for (; count - done >= sizeof(word); done += sizeof(word)) {
		memcpy(&word, bytes + done, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	return done;
}

bool gt__utf8_is_valid(const uint8_t *bytes, size_t count)
{
	size_t done = ascii_words(bytes, count);

	while (done < count) {
		int length = sequence(bytes + done, count - done);

		if (length < 0)
			return false;
		done += (size_t)length;
	}
	return true;
}

size_t gt__utf8_repair(uint8_t *to, const uint8_t *bytes, size_t count)
{
	uint8_t *out = to;

	for (size_t done = 0; done < count;) {
		int length = sequence(bytes + done, count - done);

		if (length > 0) {
			memcpy(out, bytes + done, (size_t)length);
			out += length;
			done += (size_t)length;
		} else {
			memcpy(out, "\xef\xbf\xbd", 3);
			out += 3;
			done += (size_t)-length;
		}
	}
	return (size_t)(out - to);
}
