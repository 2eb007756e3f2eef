/* SPDX-License-Identifier: MIT */
/* Text for people: the parts that `tree` and `report` share. */
#ifndef GUESTTRACE_TREE_H
#define GUESTTRACE_TREE_H

#include "collect.h"
#include "terminal.h"

/* Who ran, how it ended, how long; then the tree. */
void gt__put_header(struct gt__out *out, const struct gt__collect *c,
                    const struct gt_summary *summary);
/* `summary` NULL: of spans that have ended in a run that has not. */
void gt__put_tree(struct gt__out *out, struct gt__collect *c,
                  const struct gt_summary *summary);

/*
 * Takes out of c->items what `options` do not ask for, and counts the spans
 * among it. False: out of memory.
 */
bool gt__collect_prune(struct gt__collect *c,
                       const struct gt_report_options *options,
                       uint32_t *ret_hidden);
/* By fnmatch(3); NULL finds all. */
bool gt__name_matches(const char *pattern, struct gt_text name);

/* "999 ns", "1.234 µs": exact below a millisecond, then cut. */
#define GT__DURATION_COLUMNS 10u
void gt__put_duration(struct gt__out *out, uint64_t ns);
size_t gt__duration_columns(uint64_t ns);
/* The table of names, as many and of those names that `options` ask for. */
void gt__put_names(struct gt__out *out, const struct gt__collect *c,
                   const struct gt_report_options *options);
/* Behind a row of numbers, that of a name: `NAME  [TARGET]`, and its end. */
void gt__end_with_name(struct gt__out *out, const struct gt__name *name,
                       size_t from);
void gt__put_losses(struct gt__out *out, const struct gt_losses *losses);

/* On the right of `width` columns. */
void gt__put_duration_in(struct gt__out *out, uint64_t ns, size_t width);
void gt__put_spaces(struct gt__out *out, size_t count);

/* Since the start of the trace. */
uint64_t gt__elapsed_ns(const struct gt_trace *trace, uint64_t time_ns);

bool gt__lost_anything(const struct gt_losses *losses);

#endif
