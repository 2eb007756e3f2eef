/* SPDX-License-Identifier: MIT */
#ifndef GUESTTRACE_TREE_WORDS_H
#define GUESTTRACE_TREE_WORDS_H

#include "export/out/out.h"

/* Each begins with a space, or two, and puts nothing where there is nothing. */
void gt__tree_fields(struct gt__out *out, const struct gt_field *fields,
                     size_t count);
void gt__tree_flags(struct gt__out *out, unsigned flags);
void gt__tree_status(struct gt__out *out, const struct gt_span_view *span);
/* Where a part of another trace begins: below it all are of that one. */
void gt__tree_trace(struct gt__out *out, const struct gt_span_view *span);

#endif
