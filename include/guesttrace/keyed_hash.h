/* SPDX-License-Identifier: MIT */
/*
 * The one hash of the tables whose keys a guest or a file chooses: SipHash-1-3
 * under a key that nobody outside of the process knows, so that nobody can
 * choose keys that collide. Nothing here is for direct use.
 */
#ifndef GUESTTRACE_KEYED_HASH_H
#define GUESTTRACE_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct gt__hash_key {
	uint64_t k0, k1;
};

/* The key of this process, the same each time: from what the kernel gave it at
 * its start, without a system call and without fail. host/decode/hash_key.c. */
struct gt__hash_key gt__hash_key(void);

struct gt__sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t gt__sip_left(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void gt__sip_round(struct gt__sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = gt__sip_left(s->v1, 13) ^ s->v0;
	s->v3 = gt__sip_left(s->v3, 16) ^ s->v2;
	s->v0 = gt__sip_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = gt__sip_left(s->v1, 17) ^ s->v2;
	s->v3 = gt__sip_left(s->v3, 21) ^ s->v0;
	s->v2 = gt__sip_left(s->v2, 32);
}

static inline struct gt__sip gt__sip_begin(const struct gt__hash_key *key)
{
	struct gt__sip s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};

	return s;
}

static inline void gt__sip_word(struct gt__sip *s, uint64_t word)
{
	s->v3 ^= word;
	gt__sip_round(s);
	s->v0 ^= word;
}

/* `rest`: the last 0 to 7 bytes, below the length of all, modulo 256. */
static inline uint64_t gt__sip_end(struct gt__sip *s, uint64_t rest)
{
	gt__sip_word(s, rest);
	s->v2 ^= 0xff;
	gt__sip_round(s);
	gt__sip_round(s);
	gt__sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Of the word's eight bytes, the low one first. */
static inline uint64_t gt__hash_word(const struct gt__hash_key *key,
                                     uint64_t word)
{
	struct gt__sip s = gt__sip_begin(key);

	gt__sip_word(&s, word);
	return gt__sip_end(&s, (uint64_t)8 << 56);
}

static inline uint64_t gt__hash_words(const struct gt__hash_key *key,
                                      uint64_t first, uint64_t second)
{
	struct gt__sip s = gt__sip_begin(key);

	gt__sip_word(&s, first);
	gt__sip_word(&s, second);
	return gt__sip_end(&s, (uint64_t)16 << 56);
}

/* Of `count` bytes, the low one first. */
static inline uint64_t gt__sip_load(const unsigned char *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << 8 * i;
	return word;
}

/* Of `first`, as above, and the bytes: texts in a row are hashed each with the
 * hash of those before it as the first word. */
static inline uint64_t gt__hash_bytes(const struct gt__hash_key *key,
                                      uint64_t first, const void *bytes,
                                      size_t count)
{
	const unsigned char *at = (const unsigned char *)bytes;
	const uint64_t length = (uint64_t)(count + 8) << 56;
	struct gt__sip s = gt__sip_begin(key);

	gt__sip_word(&s, first);
	for (; count >= 8; at += 8, count -= 8)
		gt__sip_word(&s, gt__sip_load(at, 8));
	return gt__sip_end(&s, length | gt__sip_load(at, count));
}

#endif
