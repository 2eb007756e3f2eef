/* SPDX-License-Identifier: MIT */
/*
 * What is UTF-8 and what is not, for guests and hosts: Unicode 15, table 3-7.
 * No overlong forms, no surrogates, up to U+10FFFF. Nothing here is for direct
 * use.
 */
#ifndef GUESTTRACE_UTF8_SEQUENCE_H
#define GUESTTRACE_UTF8_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The length of the well-formed sequence at `at`, or minus the length of the
 * ill-formed part that one U+FFFD stands for. `left` > 0.
 */
static inline int gt__utf8_sequence(const uint8_t *at, size_t left)
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

#endif
