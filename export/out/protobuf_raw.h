/* SPDX-License-Identifier: MIT */
/*
 * The protobuf encoding into memory that is known to suffice, for paths where
 * a check per field costs too much. Each returns where the next byte goes.
 * With a constant tag the compiler leaves one or two stores of it.
 */
#ifndef GUESTTRACE_PROTOBUF_RAW_H
#define GUESTTRACE_PROTOBUF_RAW_H

#include <stdint.h>
#include <string.h>

#define GT__TAG_VARINT(field)  ((uint32_t)(field) << 3)
#define GT__TAG_FIXED64(field) ((uint32_t)(field) << 3 | 1)
#define GT__TAG_LENGTH(field)  ((uint32_t)(field) << 3 | 2)
/* Of a tag and a varint, at most. */
#define GT__RAW_BYTES          15u

static inline uint8_t *gt__raw_varint(uint8_t *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*p++ = (uint8_t)value;
	return p;
}

static inline uint8_t *gt__raw_u64(uint8_t *p, unsigned field, uint64_t value)
{
	p = gt__raw_varint(p, GT__TAG_VARINT(field));
	return gt__raw_varint(p, value);
}

static inline uint8_t *gt__raw_fixed64(uint8_t *p, unsigned field,
                                       uint64_t value)
{
	unsigned i;

	p = gt__raw_varint(p, GT__TAG_FIXED64(field));
	for (i = 0; i < 8; i++) /* one store on a little-endian machine */
		p[i] = (uint8_t)(value >> i * 8);
	return p + 8;
}

/*
 * A nested message: `begin` leaves four bytes for its length, a padded varint
 * as readers accept it, which gt__pb_end() fills in.
 */
static inline uint8_t *gt__raw_begin(uint8_t *p, unsigned field)
{
	p = gt__raw_varint(p, GT__TAG_LENGTH(field));
	memset(p, 0, 4);
	return p + 4;
}

/* The same for less than 128 bytes. */
static inline uint8_t *gt__raw_begin_short(uint8_t *p, unsigned field)
{
	return gt__raw_varint(p, GT__TAG_LENGTH(field)) + 1;
}

static inline void gt__raw_end_short(uint8_t *begun, const uint8_t *end)
{
	begun[-1] = (uint8_t)(end - begun);
}

/* 16 hex digits. */
static inline uint8_t *gt__raw_hex(uint8_t *p, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	unsigned i;

	for (i = 16; i--; value >>= 4)
		p[i] = (uint8_t)digits[value & 15];
	return p + 16;
}

#endif
