/* SPDX-License-Identifier: MIT */
/* Numbers on the right of `width` columns, for the tables of reports. */
#ifndef GUESTTRACE_NUMBERS_H
#define GUESTTRACE_NUMBERS_H

#include "out.h"

size_t gt__digits(uint64_t value);

/* What is missing of `width` if `columns` are to follow. */
void gt__put_padding(struct gt__out *out, size_t columns, size_t width);
/* In a column of that width: there is no number. */
void gt__put_dash(struct gt__out *out, size_t width);
void gt__put_count(struct gt__out *out, uint64_t value, size_t width);
/* "12.3": 100 * part / whole, rounded; 0.0 of nothing. */
void gt__put_percent(struct gt__out *out, uint64_t part, uint64_t whole,
                     size_t width);
/* The same where `part` is not known well: "~12", "<1", or "0" of nothing. */
void gt__put_estimate(struct gt__out *out, uint64_t part, uint64_t whole,
                      size_t width);
/* "+12.3" or "-12.3": by how much `after` is more than `before`, which is > 0.
 */
void gt__put_change(struct gt__out *out, uint64_t before, uint64_t after,
                    size_t width);

#endif
