/* SPDX-License-Identifier: MIT */
#include "choice.h"

int gt__choice_init(struct gt__choice *choice,
                    const struct gt_analysis *analysis)
{
	const char *why;
	size_t at;

	*choice = (struct gt__choice){
		.errors = analysis->errors,
		.from_ns = analysis->from_ns,
		.to_ns = analysis->to_ns ? analysis->to_ns : UINT64_MAX,
	};
	return analysis->where ? gt__where_new(analysis->where, &choice->where,
	                                       &at, &why)
	                       : 0;
}

void gt__choice_fini(struct gt__choice *choice)
{
	gt__where_free(choice->where);
	choice->where = NULL;
}

bool gt__is_in_range(const struct gt__choice *choice,
                     const struct gt_trace *trace, uint64_t start_ns,
                     uint64_t end_ns)
{
	uint64_t from = start_ns, to = end_ns;

	from = from > trace->start_ns ? from - trace->start_ns : 0;
	to = to > trace->start_ns ? to - trace->start_ns : 0;
	return to >= choice->from_ns && from <= choice->to_ns;
}

bool gt__is_chosen(const struct gt__choice *choice,
                   const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	if (choice->errors && span->status != GT_STATUS_ERROR)
		return false;
	return !choice->where || gt__where_holds(choice->where, trace, span);
}
