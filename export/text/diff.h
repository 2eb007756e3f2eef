/* SPDX-License-Identifier: MIT */
/* What a difference as text and one as JSON share. */
#ifndef GUESTTRACE_DIFF_H
#define GUESTTRACE_DIFF_H

#include "export/run/changes.h"
#include "export/run/fail_if.h"

struct gt__diff {
	struct gt__side before, after;
	bool partial; /* any trace of them */
};

/* `all`: also what no text shows. */
int gt__diff_new(const struct gt_output *output,
                 const struct gt_report_options *options, bool all,
                 gt__print_fn *print,
                 void (*conclude)(struct gt__collect_sink *x),
                 struct gt_sink **ret_sink);

/* Of the trace that is printed now: which side it is of, and whether of any. */
bool gt__is_before(const struct gt__collect_sink *x);
bool gt__is_of_diff(const struct gt__collect_sink *x);
void gt__diff_keep(struct gt__collect_sink *x, const struct gt__collect *c,
                   const struct gt_summary *summary);

/* At the end. NULL: there is nothing to compare, or no memory; the sink has the
 * error. */
struct gt__change *gt__diff_changes(struct gt__collect_sink *x,
                                    uint32_t *ret_count);
/* Whether it is beyond the bound; counted for whoever asked. */
bool gt__change_fails(struct gt__collect_sink *x,
                      const struct gt__fail_if *bound,
                      const struct gt__change *change);

const struct gt__name *gt__changed_name(const struct gt__change *change);
const char *gt__verdict_word(enum gt__verdict verdict);

#endif
