/* SPDX-License-Identifier: MIT */
/* Little-endian loads and stores at any alignment. Callers check the bounds. */
#ifndef GT_HOST_BYTES_H
#define GT_HOST_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t gt__load16(const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t gt__load32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t gt__load64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline void gt__store16(void *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void gt__store32(void *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void gt__store64(void *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the formats are little-endian, and so are x86-64 hosts");

#endif
