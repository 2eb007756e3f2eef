/* SPDX-License-Identifier: MIT */
/* What is not known: any number, any bytes. */
#ifndef GT_PROOF_EVA_H
#define GT_PROOF_EVA_H

#include "__fc_builtin.h"

#include <stddef.h>
#include <stdint.h>

static inline uint64_t any(uint64_t from, uint64_t to)
{
	return Frama_C_unsigned_long_interval(from, to);
}

static inline void make_any(void *bytes, size_t count)
{
	Frama_C_make_unknown((char *)bytes, count);
}

#endif
