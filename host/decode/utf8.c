/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <guesttrace/utf8_sequence.h>
#include <string.h>

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
		int length = gt__utf8_sequence(bytes + done, count - done);

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
		int length = gt__utf8_sequence(bytes + done, count - done);

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
