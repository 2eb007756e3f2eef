/* SPDX-License-Identifier: MIT */
/* What the value of a field is, for the formats that show it as text. */
#ifndef GUESTTRACE_VALUES_H
#define GUESTTRACE_VALUES_H

#include "out.h"

/*
 * 1, -1, 0.5, NaN, true, 0x1f: what needs no escape. False, and nothing is put,
 * of a string or bytes.
 */
bool gt__put_plain(struct gt__out *out, const struct gt_field *field);

/* What a counter draws. Unsigned values beyond INT64_MAX are real: viewers take
 * them for negative. */
struct gt__number {
	enum {
		GT__NO_NUMBER,
		GT__WHOLE,
		GT__REAL
	} kind;
	int64_t whole;
	double real;
};

struct gt__number gt__number_of(const struct gt_field *field);

#endif
