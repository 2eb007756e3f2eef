/* SPDX-License-Identifier: MIT */
/*
 * Keys that collide in tables whose hash is no secret: what an attacker
 * computes of multiplications by a constant and of FNV-1a, which the tables
 * once had.
 */
#ifndef GUESTTRACE_TESTS_CHOSEN_H
#define GUESTTRACE_TESTS_CHOSEN_H

#include "cpu_time.h"

#include <guesttrace/export.h>

#include <stdio.h>

#define CHOSEN_FNV       UINT64_C(0xcbf29ce484222325)
#define CHOSEN_FNV_PRIME UINT64_C(0x100000001b3)
#define CHOSEN_BYTES     16

static inline uint64_t chosen_fnv(uint64_t hash, const void *bytes,
                                  size_t count)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * CHOSEN_FNV_PRIME;
	return hash;
}

/*
 * `count` texts, the hash of which has zeros, folded in half, where `mask` has
 * ones. They stay until the next call.
 */
static inline void chosen_texts(struct gt_text *texts, unsigned count,
                                uint64_t (*hash_of)(struct gt_text),
                                uint32_t mask)
{
	static char bytes[1 << 16][CHOSEN_BYTES];
	unsigned found = 0;

	for (unsigned i = 0; found < count; i++) {
		struct gt_text text = {bytes[found], 0};
		uint64_t hash;

		text.count =
			(size_t)snprintf(bytes[found], CHOSEN_BYTES, "n%u", i);
		hash = hash_of(text);
		if (((hash ^ hash >> 32) & mask) == 0)
			texts[found++] = text;
	}
}

/* id * 0x9e3779b97f4a7c15 is `product`. */
static inline uint64_t chosen_id(uint64_t product)
{
	const uint64_t by = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t inverse = by;

	for (unsigned i = 0; i < 5; i++) /* each time twice as many bits hold */
		inverse *= 2 - by * inverse;
	return product * inverse;
}

#endif
