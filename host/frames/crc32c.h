/* SPDX-License-Identifier: MIT */
#ifndef GT_HOST_CRC32C_H
#define GT_HOST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (RFC 3720, B.4) of `count` more bytes behind those that gave `crc`;
 * start with 0.
 */
uint32_t gt__crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
