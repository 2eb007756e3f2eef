/* SPDX-License-Identifier: MIT */
/* Text for people: the parts that `tree` and `report` share. */
#ifndef GUESTTRACE_TREE_H
#define GUESTTRACE_TREE_H

#include "export/out/durations.h"
#include "export/out/terminal.h"
#include "export/run/prune.h"

/* Who ran, how it ended, how long; then the tree. */
void gt__put_header(struct gt__out *out, const struct gt__collect *c,
                    const struct gt_summary *summary);
void gt__put_tree(struct gt__out *out, struct gt__collect *c,
                  const struct gt_summary *summary);
/* The same of a run that has not ended, with what is above each root before its
 * name: bytes as they are put, which take so many columns. */
void gt__put_ended(struct gt__out *out, struct gt__collect *c,
                   struct gt_text above, size_t columns);

/*
 * One span and what is below it, in at most so many lines. Returns how many
 * items it left out.
 */
uint64_t gt__put_subtree(struct gt__out *out, struct gt__collect *c,
                         const struct gt_summary *summary, uint32_t span,
                         uint32_t depth, uint32_t lines);

/* The table of names, as many and of those names that `options` ask for. */
void gt__put_names(struct gt__out *out, const struct gt__collect *c,
                   const struct gt_summary *summary,
                   const struct gt_report_options *options);
/* Behind a title: that what stands below lacks what was lost. */
void gt__put_partial(struct gt__out *out, const struct gt_summary *summary);
void gt__put_partial_note(struct gt__out *out); /* a line above a table */
/* ` KEY=VALUE`, which tells rows of a name apart; `by` NULL: nothing does. */
void gt__put_by(struct gt__out *out, const char *by, struct gt_text value);
/* Behind a row of numbers, that of a name: `NAME  [TARGET]`, and its end; with
 * `by`, if that is not NULL, and its value. */
void gt__end_with_name(struct gt__out *out, const struct gt__name *name,
                       const char *by, size_t from);
void gt__put_losses(struct gt__out *out, const struct gt_losses *losses);
/* A line: so many of that. */
#define GT__COUNT_COLUMNS 12u
void gt__put_counted(struct gt__out *out, uint64_t count, const char *what);

/* Since the start of the trace. */
uint64_t gt__elapsed_ns(const struct gt_trace *trace, uint64_t time_ns);

bool gt__lost_anything(const struct gt_losses *losses);

#endif
