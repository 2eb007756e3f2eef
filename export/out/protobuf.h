/* SPDX-License-Identifier: MIT */
/* Writing the protobuf encoding (protobuf.dev/programming-guides/encoding). */
#ifndef GUESTTRACE_PROTOBUF_H
#define GUESTTRACE_PROTOBUF_H

#include "out.h"

void gt__pb_u64(struct gt__out *out, unsigned field, uint64_t value);
/* int32 and int64: a negative one is sign-extended to ten bytes. */
void gt__pb_i64(struct gt__out *out, unsigned field, int64_t value);
void gt__pb_f64(struct gt__out *out, unsigned field, double value);
void gt__pb_string(struct gt__out *out, unsigned field, const char *text);
/* Bad UTF-8 is replaced: one bad string would spoil the whole message. */
void gt__pb_text(struct gt__out *out, unsigned field, struct gt_text text);

/*
 * A nested message: `begin` leaves room for its length, which `end` fills in.
 * Nothing may be written out in between (see out.h).
 */
size_t gt__pb_begin(struct gt__out *out, unsigned field);
void gt__pb_end(struct gt__out *out, size_t mark);

#endif
