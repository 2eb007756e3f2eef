/* SPDX-License-Identifier: MIT */
/* Fields as JSON, for the formats that show a value as a plain JSON value. */
#ifndef GUESTTRACE_JSON_VALUES_H
#define GUESTTRACE_JSON_VALUES_H

#include "out.h"

/*
 * Integers are numbers up to 2^53, beyond that (or with `strings`) decimal
 * strings; of floats proto3's "NaN", "Infinity", "-Infinity" are strings; bytes
 * are base64; a pointer is "0x...".
 */
void gt__put_json_value(struct gt__out *out, const struct gt_field *field,
                        bool strings);

/* A number up to 2^53, beyond that a decimal string. */
void gt__put_json_u64(struct gt__out *out, uint64_t value);

/*
 * "key":value,... without braces; keys of the host's are renamed if `rename`.
 * Of equal keys the last one: readers differ in what a second one means.
 */
void gt__put_json_members(struct gt__out *out, const struct gt_field *fields,
                          size_t count, bool rename);

/* The key as a JSON string, behind `guest.` if it is one of the host's. */
void gt__put_json_guest_key(struct gt__out *out, struct gt_text key);

#endif
