/* SPDX-License-Identifier: MIT */
/* How the example guests say on the console what came out. */
#ifndef GUESTS_RESULT_H
#define GUESTS_RESULT_H

#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_START 2166136261u
#define DECIMAL_BYTES  21u /* of any uint64_t, with the NUL */

/* Continues a checksum (FNV-1a) over n more bytes. */
uint32_t checksum(uint32_t so_far, const void *bytes, size_t n);

/* Writes `value` and a NUL to `to`, which has room for DECIMAL_BYTES. */
void decimal(char *to, uint64_t value);

/* Print ` name=value`, in decimal or as 0x... */
void result_u64(const char *name, uint64_t value);
void result_hex(const char *name, uint64_t value);

#endif
