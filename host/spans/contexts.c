/* SPDX-License-Identifier: MIT */
#include "contexts.h"

#include <stdlib.h>

void gt__contexts_init(struct gt__contexts *contexts, uint32_t count_max,
                       uint32_t entries_max, struct gt__hash_key key)
{
	*contexts = (struct gt__contexts){
		.count_max = count_max,
		.entries_max = entries_max,
		.key = key,
		.buckets = contexts->first_buckets,
		.bucket_mask = GT__CONTEXT_BUCKETS - 1,
		.overflow = {.stack = &contexts->overflow_stack},
		.overflow_stack = {.context = &contexts->overflow},
	};
}

/* Forgets contexts without entered spans that no vCPU runs; all with `all`. */
static void sweep(struct gt__contexts *contexts, bool all)
{
	for (uint32_t i = 0; contexts->buckets && i <= contexts->bucket_mask;
	     i++) {
		struct gt__context **link = &contexts->buckets[i];

		while (*link) {
			struct gt__context *context = *link;

			if (!all && (context->stack->top || context->in_use)) {
				link = &context->next;
				continue;
			}
			*link = context->next;
			free(context->stack);
			free(context);
			contexts->count--;
		}
	}
}

/* Before the spans are freed that stand in the contexts. */
void gt__contexts_fini(struct gt__contexts *contexts)
{
	struct gt__entry *entry, *next;

	for (uint32_t i = 0; contexts->buckets && i <= contexts->bucket_mask;
	     i++)
		for (struct gt__context *at = contexts->buckets[i]; at;
		     at = at->next)
			while (at->stack->top)
				gt__context_remove(contexts, at->stack->top);
	while (contexts->overflow_stack.top)
		gt__context_remove(contexts, contexts->overflow_stack.top);
	for (entry = contexts->free_entries; entry; entry = next) {
		next = entry->below;
		free(entry);
	}
	contexts->free_entries = NULL;
	sweep(contexts, true);
	if (contexts->buckets != contexts->first_buckets)
		free(contexts->buckets);
}

static struct gt__context **bucket_of(struct gt__contexts *contexts,
                                      uint32_t vcpu, uint64_t number)
{
	uint64_t hash = gt__hash_words(&contexts->key, number, vcpu);

	return &contexts->buckets[hash & contexts->bucket_mask];
}

/* About one context in each bucket; without memory there are more. */
static void more_buckets(struct gt__contexts *contexts)
{
	uint32_t old_mask = contexts->bucket_mask;
	struct gt__context **old = contexts->buckets, *context, *next;
	struct gt__context **larger;

	if (contexts->count <= old_mask)
		return;
	larger = calloc(2 * ((size_t)old_mask + 1), sizeof(context));
	if (!larger)
		return;
	contexts->buckets = larger;
	contexts->bucket_mask = 2 * old_mask + 1;
	for (uint32_t i = 0; i <= old_mask; i++)
		for (context = old[i]; context; context = next) {
			struct gt__context **bucket = bucket_of(
				contexts, context->vcpu, context->number);

			next = context->next;
			context->next = *bucket;
			*bucket = context;
		}
	if (old != contexts->first_buckets)
		free(old);
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

static struct gt__context *new_context(uint32_t vcpu, uint64_t number)
{
	struct gt__context *context = malloc(sizeof(*context));
	struct gt__stack *stack = malloc(sizeof(*stack));

	if (!context || !stack) {
		free(context);
		free(stack);
		return NULL;
	}
	*stack = (struct gt__stack){.context = context};
	*context = (struct gt__context){
		.number = number, .vcpu = vcpu, .stack = stack};
	return context;
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
	                  ? new_context(vcpu, number)
	                  : NULL;
	if (!context)
		return &contexts->overflow;
	context->next = *bucket;
	*bucket = context;
	contexts->count++;
	more_buckets(contexts);
	return context;
}

/* ---- Entries ------------------------------------------------------------- */

static void unlink_entry(struct gt__entry *entry)
{
	if (entry->above)
		entry->above->below = entry->below;
	else
		entry->stack->top = entry->below;
	if (entry->below)
		entry->below->above = entry->above;
	entry->stack->loose -= !entry->scope;
}

static void link_entry(struct gt__stack *stack, struct gt__entry *entry)
{
	entry->stack = stack;
	entry->order = ++stack->pushes;
	entry->above = NULL;
	entry->below = stack->top;
	if (stack->top)
		stack->top->above = entry;
	stack->top = entry;
	stack->loose += !entry->scope;
}

/* NULL: there are too many, or no memory is left. */
static struct gt__entry *new_entry(struct gt__contexts *contexts,
                                   struct gt__open_span *span)
{
	struct gt__entry *entry = contexts->free_entries;

	if (!span->entry.stack)
		return &span->entry;
	if (span->entry_count == GT__ENTRIES_PER_SPAN)
		return NULL;
	if (entry) {
		contexts->free_entries = entry->below;
		return entry;
	}
	if (contexts->entries == contexts->entries_max)
		return NULL;
	entry = malloc(sizeof(*entry));
	contexts->entries += entry != NULL;
	return entry;
}

struct gt__entry *gt__context_push(struct gt__contexts *contexts,
                                   struct gt__stack *stack,
                                   struct gt__open_span *span, uint32_t level,
                                   uint32_t turn)
{
	struct gt__entry *entry = stack->top;

	if (entry && entry->span == span && entry->level == level &&
	    entry->turn == turn) {
		entry->times += entry->times < UINT32_MAX;
		return entry;
	}
	entry = new_entry(contexts, span);
	if (entry) {
		*entry = (struct gt__entry){.span = span,
		                            .earlier = span->entries,
		                            .level = level,
		                            .turn = turn,
		                            .times = 1};
		span->entries = entry;
		span->entry_count++;
	} else {
		entry = span->entries;
		entry->level = level;
		entry->turn = turn;
		unlink_entry(entry);
	}
	link_entry(stack, entry);
	return entry;
}

void gt__context_is_scope(struct gt__entry *entry)
{
	entry->stack->loose -= !entry->scope;
	entry->scope = true;
}

struct gt__entry *gt__context_find(const struct gt__stack *stack,
                                   const struct gt__open_span *span)
{
	struct gt__entry *entry = span->entries;

	while (entry && entry->stack != stack)
		entry = entry->earlier;
	return entry;
}

void gt__context_leave(struct gt__contexts *contexts, struct gt__entry *entry)
{
	if (--entry->times == 0)
		gt__context_remove(contexts, entry);
}

void gt__context_remove(struct gt__contexts *contexts, struct gt__entry *entry)
{
	struct gt__entry **link = &entry->span->entries;

	unlink_entry(entry);
	while (*link != entry)
		link = &(*link)->earlier;
	*link = entry->earlier;
	entry->span->entry_count--;
	entry->stack = NULL;
	if (entry == &entry->span->entry)
		return;
	entry->below = contexts->free_entries;
	contexts->free_entries = entry;
}

void gt__context_move(struct gt__context *context, struct gt__context *from)
{
	struct gt__stack *empty = context->stack;

	context->stack = from->stack;
	context->stack->context = context;
	from->stack = empty;
	empty->context = from;
}
