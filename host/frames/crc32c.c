/* SPDX-License-Identifier: MIT */
/* By the CPU's own instruction where it has one, else bit by bit. */
#include "crc32c.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

static uint32_t plain(uint32_t crc, const uint8_t *at, size_t count)
{
	while (count--) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (POLYNOMIAL & (0u - (crc & 1)));
	}
	return crc;
}

__attribute__((target("sse4.2"))) static uint32_t
hardware(uint32_t crc, const uint8_t *at, size_t count)
{
	uint64_t wide = crc, word;

	for (; count >= sizeof(word); count -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
		at += sizeof(word);
	}
	crc = (uint32_t)wide;
	while (count--)
		crc = __builtin_ia32_crc32qi(crc, *at++);
	return crc;
}

uint32_t gt__crc32c(uint32_t crc, const void *bytes, size_t count)
{
	crc = ~crc;
	crc = __builtin_cpu_supports("sse4.2") ? hardware(crc, bytes, count)
	                                       : plain(crc, bytes, count);
	return ~crc;
}
