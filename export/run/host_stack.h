/* SPDX-License-Identifier: MIT */
/*
 * Exits of a vCPU and the VMM's own work inside, for viewers that pop what is
 * on top. A stretch is known when it is over, its parent first; so its end is
 * written when the next one is not inside of it.
 */
#ifndef GUESTTRACE_HOST_STACK_H
#define GUESTTRACE_HOST_STACK_H

#include <guesttrace/export.h>

#define GT__WORK_DEPTH 8u

struct gt__host_stack {
	uint32_t depth;
	struct {
		uint64_t id, end_ns;
	} open[GT__WORK_DEPTH];
};

/* Takes one that has to end before `next` begins (all, if that is NULL). */
static inline bool gt__host_stack_pop(struct gt__host_stack *stack,
                                      const struct gt_host_span_view *next,
                                      uint64_t *ret_end_ns)
{
	uint64_t parent =
		next && next->kind == GT_HOST_WORK ? next->parent_id : 0;

	if (!stack->depth || stack->open[stack->depth - 1].id == parent)
		return false;
	*ret_end_ns = stack->open[--stack->depth].end_ns;
	return true;
}

/* False: it is to end at once. */
static inline bool gt__host_stack_push(struct gt__host_stack *stack,
                                       const struct gt_host_span_view *span)
{
	if (span->kind == GT_HOST_GUEST || stack->depth == GT__WORK_DEPTH)
		return false;
	stack->open[stack->depth].id = span->id;
	stack->open[stack->depth++].end_ns = span->end_ns;
	return true;
}

#endif
