/* SPDX-License-Identifier: MIT */
/* How long, as people read it. */
#ifndef GUESTTRACE_DURATIONS_H
#define GUESTTRACE_DURATIONS_H

#include "out.h"

/* "999 ns", "1.234 µs": exact below a millisecond, then cut; in the unit of the
 * writer, if it has one, always exact. */
#define GT__DURATION_COLUMNS 10u
void gt__put_duration(struct gt__out *out, uint64_t ns);
size_t gt__duration_columns(const struct gt__out *out, uint64_t ns);
/* On the right of `width` columns. */
void gt__put_duration_in(struct gt__out *out, uint64_t ns, size_t width);

void gt__put_spaces(struct gt__out *out, size_t count);

#endif
