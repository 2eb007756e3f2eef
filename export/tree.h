/* SPDX-License-Identifier: MIT */
/* Text for people: the parts that `tree` and `report` share. */
#ifndef GUESTTRACE_TREE_H
#define GUESTTRACE_TREE_H

#include "collect.h"

/* Who ran, how it ended, how long; then the tree. */
void gt__put_header(struct gt__out *out, const struct gt__collect *c,
                    const struct gt_summary *summary);
void gt__put_tree(struct gt__out *out, struct gt__collect *c,
                  const struct gt_summary *summary);

/* "999 ns", "1.234 µs": exact below a millisecond, then cut. */
#define GT__DURATION_COLUMNS 10u
void gt__put_duration(struct gt__out *out, uint64_t ns);
size_t gt__duration_columns(uint64_t ns);
void gt__put_spaces(struct gt__out *out, size_t count);

bool gt__lost_anything(const struct gt_losses *losses);

#endif
