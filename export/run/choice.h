/* SPDX-License-Identifier: MIT */
/* Which spans of a trace count: one rule for collectors and for sinks. */
#ifndef GUESTTRACE_CHOICE_H
#define GUESTTRACE_CHOICE_H

#include "where.h"

struct gt__choice {              /* zeroed chooses all */
	struct gt__where *where; /* NULL: any */
	bool errors;
	uint64_t from_ns, to_ns; /* since the start; 0 .. UINT64_MAX: all */
};

/* Of the analysis: 0, -ENOMEM or -EINVAL. gt__choice_fini() in any case. */
int gt__choice_init(struct gt__choice *choice,
                    const struct gt_analysis *analysis);
void gt__choice_fini(struct gt__choice *choice);

/* Whether it says more of spans than when they were open. */
static inline bool gt__choice_is_of_spans(const struct gt__choice *choice)
{
	return choice->where || choice->errors;
}

/* Whether any of [start_ns, end_ns] is in the range. */
bool gt__is_in_range(const struct gt__choice *choice,
                     const struct gt_trace *trace, uint64_t start_ns,
                     uint64_t end_ns);
/* What else is asked of a span that has ended. */
bool gt__is_chosen(const struct gt__choice *choice,
                   const struct gt_trace *trace,
                   const struct gt_span_view *span);

#endif
