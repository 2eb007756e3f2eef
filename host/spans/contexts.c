/* SPDX-License-Identifier: MIT */
#include "contexts.h"

#include <stdlib.h>

void gt__contexts_init(struct gt__contexts *contexts, uint32_t count_max,
                       uint64_t key)
{
	*contexts = (struct gt__contexts){.count_max = count_max, .key = key};
}

/* Forgets contexts without entered spans that no vCPU runs; all with `all`. */
static void sweep(struct gt__contexts *contexts, bool all)
{
	for (uint32_t i = 0; i < GT__CONTEXT_BUCKETS; i++) {
		struct gt__context **link = &contexts->buckets[i];

		while (*link) {
			struct gt__context *context = *link;

			if (!all && (context->top || context->in_use)) {
				link = &context->next;
				continue;
			}
			*link = context->next;
			free(context);
			contexts->count--;
		}
	}
}

void gt__contexts_fini(struct gt__contexts *contexts)
{
	sweep(contexts, true);
}

static struct gt__context **bucket_of(struct gt__contexts *contexts,
                                      uint32_t vcpu, uint64_t number)
{
	/* As in opentable.c: the finalizer of MurmurHash3, keyed before it. */
	uint64_t hash = number ^ (uint64_t)vcpu << 48 ^ contexts->key;

	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return &contexts->buckets[hash >> 56 & (GT__CONTEXT_BUCKETS - 1)];
}

/* A sweep looks at all contexts: not for every miss, if few are idle. */
static void make_room(struct gt__contexts *contexts)
{
	if (contexts->patience > 0) {
		contexts->patience--;
		return;
	}
	if (contexts->count < contexts->count_max)
		return;
	sweep(contexts, false);
	contexts->patience = contexts->count / 8;
}

struct gt__context *gt__context_get(struct gt__contexts *contexts,
                                    uint32_t vcpu, uint64_t number)
{
	struct gt__context **bucket = bucket_of(contexts, vcpu, number);
	struct gt__context *context;

	for (context = *bucket; context; context = context->next)
		if (context->number == number && context->vcpu == vcpu)
			return context;
	make_room(contexts);
	context = contexts->count < contexts->count_max
	                  ? malloc(sizeof(*context))
	                  : NULL;
	if (!context)
		return &contexts->overflow;
	*context = (struct gt__context){
		.number = number, .vcpu = vcpu, .next = *bucket};
	*bucket = context;
	contexts->count++;
	return context;
}

void gt__context_remove(struct gt__open_span *span)
{
	if (!span->context)
		return;
	if (span->above)
		span->above->below = span->below;
	else
		span->context->top = span->below;
	if (span->below)
		span->below->above = span->above;
	span->context = NULL;
	span->above = span->below = NULL;
}

void gt__context_move(struct gt__context *context, struct gt__context *from)
{
	struct gt__open_span *bottom = from->top;

	if (!bottom)
		return;
	for (;; bottom = bottom->below) {
		bottom->context = context;
		if (!bottom->below)
			break;
	}
	bottom->below = context->top;
	if (context->top)
		context->top->above = bottom;
	context->top = from->top;
	from->top = NULL;
}

void gt__context_push(struct gt__context *context, struct gt__open_span *span)
{
	gt__context_remove(span);
	span->context = context;
	span->below = context->top;
	if (context->top)
		context->top->above = span;
	context->top = span;
}
