/* SPDX-License-Identifier: MIT */
/* A split as the reports write it. */
#ifndef GUESTTRACE_SPLIT_WORDS_H
#define GUESTTRACE_SPLIT_WORDS_H

#include "collect.h"

/* {"guest_ns":"1","exits_ns":{"io":"2"},...}: docs/report.md */
void gt__put_split_json(struct gt__out *out, const struct gt__timeline *t,
                        const uint64_t *row);

/* Of a row: all exits but tracing's own. */
uint64_t gt__split_exits_ns(const struct gt__timeline *t, const uint64_t *row);
/* Of a row: one part; 0 if it never occurs. */
uint64_t gt__split_part_ns(const struct gt__timeline *t, const uint64_t *row,
                           enum gt__part part);

#endif
