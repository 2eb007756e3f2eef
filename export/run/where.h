/* SPDX-License-Identifier: MIT */
/* A condition on spans, as gt_where_check() tells it. */
#ifndef GUESTTRACE_WHERE_H
#define GUESTTRACE_WHERE_H

#include <guesttrace/analysis.h>

#define GT__WHERE_BYTES_MAX 1000u

struct gt__where;

/* 0, -ENOMEM, or -EINVAL and what is wrong where. Copies the text. */
int gt__where_new(const char *text, struct gt__where **ret_where,
                  size_t *ret_at, const char **ret_why);
void gt__where_free(struct gt__where *where); /* or NULL */

/* Of a span that has ended. */
bool gt__where_holds(const struct gt__where *where,
                     const struct gt_trace *trace,
                     const struct gt_span_view *span);

/* "20us", "1.5ms" or whole ns -> ns. */
bool gt__read_duration(const char *text, uint64_t *ret_ns);

#endif
