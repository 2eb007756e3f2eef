/* SPDX-License-Identifier: MIT */
/* What a guest calls text becomes valid UTF-8 here. */
#ifndef GT_HOST_UTF8_H
#define GT_HOST_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unicode 15, table 3-7: no overlong forms, no surrogates, up to U+10FFFF. */
bool gt__utf8_is_valid(const uint8_t *bytes, size_t count);

/*
 * Writes `count` bytes to `to` with U+FFFD for each maximal ill-formed part
 * (Unicode 15, 3.9). `to` has room for 3 * count. Returns the bytes written.
 */
size_t gt__utf8_repair(uint8_t *to, const uint8_t *bytes, size_t count);

#endif
