/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a ring -> records -> values. Pure functions over a private copy; a
 * fuzz target. Everything about a record is checked before it is returned.
 */
#ifndef GT_HOST_NATIVE_H
#define GT_HOST_NATIVE_H

#include "sites.h"

struct gt__record {
	const struct gt__site *site; /* NULL for kinds without one */
	enum gt_record_kind kind;
	uint32_t flags;
	uint64_t tsc;    /* 0 for GT_RECORD_PAD */
	uint64_t id;     /* span id or context, of kinds that have one */
	bool has_parent; /* said by the record, not by the order of records */
	uint64_t parent; /* then: span id, 0 = none */
	const uint8_t *body; /* values, or the words of a sync or switch */
	size_t body_bytes;
};

/*
 * Reads the record at `bytes`, of which `count` follow. Returns its length in
 * bytes, a multiple of 8; 0: it is none, or it does not fit its site.
 */
size_t gt__record_read(const struct gt__sites *sites, const uint8_t *bytes,
                       size_t count, struct gt__record *ret_record);

/* One value as it lies in a record. */
struct gt__value {
	uint64_t word;
	const uint8_t *bytes; /* of a text type */
	uint32_t stored_bytes;
	uint32_t full_bytes;
};

/*
 * Reads a value of `type` at `body`, of which `count` bytes follow. Returns its
 * length, which is 0 for GT_TYPE_OK, or SIZE_MAX if it does not fit.
 */
size_t gt__value_read(enum gt_type type, const uint8_t *body, size_t count,
                      struct gt__value *ret_value);

#endif
