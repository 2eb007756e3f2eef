/* SPDX-License-Identifier: MIT */
/*
 * Which spans are entered. The stack of a context follows from the records; the
 * guest's word of what is current counts where records are missing, or where a
 * context went on elsewhere. That word is one for a whole stack: where spans
 * are left in another order than entered it may name one that was left, or has
 * ended.
 */
#include "spans_inside.h"
#include "host/decode/bytes.h"

enum gt__seen_state gt__spans_seen(const struct gt__spans *spans, uint64_t id)
{
	uint64_t vcpu = id >> GT_ID_VCPU_SHIFT;

	if (vcpu >= spans->vcpu_count)
		return GT__SEEN_NEVER;
	return gt__seen_state(&spans->vcpus[vcpu].seen, id);
}

static bool has_ended(const struct gt__spans *spans, uint64_t id)
{
	return id && !gt__open_table_find(&spans->open, id) &&
	       gt__spans_seen(spans, id) == GT__SEEN_BEFORE;
}

/* How sure it is that what leaves a stack has been left. */
enum sure {
	IT_HAS_ENDED, /* if it is a scope: its close was lost */
	IT_MAY_GO_ON, /* then its close is still to come */
};

static void drop(struct gt__spans *spans, struct gt__entry *entry, uint64_t ns,
                 enum sure sure)
{
	struct gt__open_span *span = entry->span;
	const struct gt__context *context = entry->stack->context;
	bool scope = entry->scope;
	struct gt__vcpu_spans *vcpu = &spans->vcpus[context->vcpu];

	gt__context_remove(&spans->contexts, entry);
	if (scope && sure == IT_HAS_ENDED) {
		gt__spans_end(spans, span, ns, span->vcpu, GT_SPAN_CLOSE_LOST);
	} else if (scope) {
		span->left_ns = ns;
		span->left_in = context->number;
		gt__context_push(&spans->contexts, &vcpu->limbo, span, 0, 0);
	}
}

/*
 * `current` is what the context is in: scopes of it that are younger, or with
 * NULL all of them, are over. The rest waits for a later word, as the first one
 * that is not over does.
 */
static void settle(struct gt__spans *spans, const struct gt__when *when,
                   const struct gt__open_span *current)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];

	while (vcpu->limbo.top) {
		struct gt__open_span *span = vcpu->limbo.top->span;

		if (span->left_in != vcpu->context->number ||
		    (current && span->sequence <= current->sequence))
			return;
		gt__spans_end(spans, span, span->left_ns, span->vcpu,
		              GT_SPAN_CLOSE_LOST);
	}
}

/* Takes everything above `stay` from the stack; NULL: all of it. */
static void unwind(struct gt__spans *spans, struct gt__context *context,
                   const struct gt__entry *stay, uint64_t ns, enum sure sure)
{
	while (context->stack->top && context->stack->top != stay)
		drop(spans, context->stack->top, ns, sure);
}

/*
 * What stands below the top may have been left, unless both are scopes, which
 * end in turn. Below the last one that is none there is nothing to find: scopes
 * are passed once for each time that they are entered, not for each record.
 */
static void doubt_below(struct gt__spans *spans, struct gt__entry *above,
                        uint64_t ns)
{
	const struct gt__stack *stack = above->stack;
	struct gt__entry *entry = above->below, *next;

	for (; entry && (!above->scope || stack->loose > 0); entry = next) {
		next = entry->below;
		if (!above->scope || !entry->scope)
			drop(spans, entry, ns, IT_MAY_GO_ON);
	}
}

/* The context's stack on another vCPU. Context 0 is each one's own. */
static struct gt__context *elsewhere(const struct gt__context *context,
                                     const struct gt__open_span *span)
{
	const struct gt__entry *entry = span->entries;

	if (context->number == 0)
		return NULL;
	while (entry && (!entry->stack->context ||
	                 entry->stack->context->number != context->number))
		entry = entry->earlier;
	return entry ? entry->stack->context : NULL;
}

/* The lowest entry: of two, the upper one may have been left. */
static struct gt__entry *lowest(const struct gt__stack *stack,
                                const struct gt__open_span *span)
{
	struct gt__entry *found = NULL, *entry = span->entries;

	for (; entry; entry = entry->earlier)
		if (entry->stack == stack)
			found = entry;
	return found;
}

/* The guest says that a span is current of which no record has told. */
static void trust(struct gt__spans *spans, const struct gt__when *when,
                  struct gt__open_span *span)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	struct gt__context *from = elsewhere(vcpu->context, span);

	if (from)
		gt__context_move(vcpu->context, from);
	else
		gt__context_push(&spans->contexts, vcpu->context->stack, span,
		                 when->level, vcpu->turns)
			->order = 0;
}

static void doubt_entered(struct gt__stack *stack)
{
	stack->doubted = stack->pushes;
}

/*
 * Makes `current`, the guest's word, the top of the context's stack. `below`:
 * something may have been left of which that word does not tell.
 */
static void realign(struct gt__spans *spans, const struct gt__when *when,
                    uint64_t current, bool below)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;
	struct gt__open_span *span = gt__open_table_find(&spans->open, current);
	struct gt__entry *entry = span ? lowest(context->stack, span) : NULL;
	enum sure sure = IT_MAY_GO_ON;

	if (entry || (current == 0 && !below))
		sure = IT_HAS_ENDED;
	context->doubtful = current != 0;
	context->unseen_parent =
		span || has_ended(spans, current) ? 0 : current;
	unwind(spans, context, entry, when->ns, sure);
	doubt_entered(context->stack);
	if (entry)
		entry->order = ++entry->stack->pushes;
	if (entry && below)
		doubt_below(spans, entry, when->ns);
	if (span && !entry)
		trust(spans, when, span);
}

uint64_t gt__spans_top(const struct gt__spans *spans, uint32_t vcpu)
{
	const struct gt__context *context = spans->vcpus[vcpu].context;
	const struct gt__entry *top = context->stack->top;

	return top ? top->span->id : context->unseen_parent;
}

bool gt__spans_top_is_guessed(const struct gt__spans *spans, uint32_t vcpu)
{
	const struct gt__context *context = spans->vcpus[vcpu].context;

	if (context->stack->top)
		return !gt__context_is_sure(context->stack->top);
	return context->unseen_parent || context->doubtful;
}

uint64_t gt__spans_current(const struct gt__spans *spans, uint32_t vcpu,
                           struct gt__trace **ret_trace)
{
	uint64_t id = gt__spans_top(spans, vcpu);

	*ret_trace = gt__names_trace(&spans->names, id);
	return gt__exported(&spans->names, id);
}

void gt__spans_set_context(struct gt__spans *spans, uint32_t number,
                           uint64_t context)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[number];

	vcpu->context->in_use = false;
	vcpu->context = gt__context_get(&spans->contexts, number, context);
	vcpu->context->in_use = true;
}

struct gt__entry *gt__spans_enter(struct gt__spans *spans,
                                  const struct gt__when *when,
                                  struct gt__open_span *span)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];

	return gt__context_push(&spans->contexts, vcpu->context->stack, span,
	                        when->level, vcpu->turns);
}

/* Once, where it was entered last in this context, else anywhere. */
void gt__spans_leave(struct gt__spans *spans, const struct gt__when *when,
                     struct gt__open_span *span)
{
	struct gt__entry *entry =
		gt__context_find(spans->vcpus[when->vcpu].context->stack, span);

	if (!entry)
		entry = span->entries;
	if (entry)
		gt__context_leave(&spans->contexts, entry);
}

/* The word is right; of scopes the younger one is within the older one. */
static void settle_by(struct gt__spans *spans, const struct gt__when *when,
                      uint64_t current)
{
	struct gt__open_span *span = gt__open_table_find(&spans->open, current);

	if (current == 0 || (span && span->scoped))
		settle(spans, when, span);
}

/* Whatever the guest calls current may be what it has left. */
static void give_up(struct gt__spans *spans, const struct gt__when *when)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;

	unwind(spans, context, NULL, when->ns, IT_MAY_GO_ON);
	context->unseen_parent = 0;
	context->doubtful = true;
}

void gt__spans_doubt(struct gt__context *context)
{
	context->doubtful = true;
	doubt_entered(context->stack);
}

/* Records and word agree. */
static void confirm(struct gt__context *context, uint64_t current)
{
	struct gt__stack *stack = context->stack;

	if (stack->top && stack->top->span->id == current)
		stack->top->order = ++stack->pushes;
	if (!stack->top && current == 0)
		context->doubtful = false;
}

/* What is entered may be another than the records say. */
static bool is_in_doubt(const struct gt__vcpu_spans *vcpu,
                        const struct gt__record *record)
{
	uint32_t flags = record->flags;

	if (vcpu->realign || flags & (GT_RECORD_UNSAID | GT_RECORD_BELOW))
		return true;
	return !(flags & GT_RECORD_SAID) &&
	       gt__load64(record->body + 8) != vcpu->lost;
}

/*
 * The guest changes its word of what is current in the middle of a record, and
 * a handler may come before that: it then names what was current before.
 */
static bool is_under_way(const struct gt__vcpu_spans *vcpu, unsigned level,
                         uint64_t current)
{
	unsigned levels = vcpu->preemptible ? GT_LEVELS : level;

	for (unsigned i = 0; i < levels; i++)
		if (i != level && vcpu->before[i] == current)
			return true;
	return false;
}

/* The stack of the context we return to is as we left it, unless records were
 * lost or it ran on another vCPU meanwhile: then the guest's word counts. */
static void switch_to(struct gt__spans *spans, const struct gt__when *when,
                      uint64_t context, uint64_t current, bool lossy)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];

	gt__spans_set_context(spans, when->vcpu, context);
	vcpu->turns++;
	if (gt__spans_top(spans, when->vcpu) == current ||
	    is_under_way(vcpu, when->level, current))
		return;
	if (lossy || !has_ended(spans, current))
		realign(spans, when, current, lossy);
}

void gt__spans_switch(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record)
{
	const struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];

	switch_to(spans, when, gt__load64(record->body),
	          gt__load64(record->body + 8),
	          vcpu->lost_by_now != vcpu->lost || vcpu->realign);
}

void gt__spans_sync(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	uint64_t current = gt__load64(record->body);
	uint64_t context = gt__load64(record->body + 24);
	/* The word is of no use. */
	bool useless = record->flags & GT_RECORD_BELOW ||
	               (vcpu->realign && record->flags & GT_RECORD_CROSSED);

	if (is_in_doubt(vcpu, record)) {
		if (useless && vcpu->context->number != context)
			give_up(spans, when);
		gt__spans_set_context(spans, when->vcpu, context);
		if (useless)
			give_up(spans, when);
		else
			realign(spans, when, current, vcpu->realign);
		if (vcpu->context->stack->top &&
		    record->flags & GT_RECORD_CROSSED)
			vcpu->context->stack->top->order = 0;
	} else {
		if (record->flags & GT_RECORD_SWITCHED)
			switch_to(spans, when, context, current, false);
		if (!(record->flags & GT_RECORD_CROSSED))
			confirm(vcpu->context, current);
	}
	if (vcpu->limbo.top && !(record->flags & GT_RECORD_CROSSED))
		settle_by(spans, when, current);
	vcpu->lost = gt__load64(record->body + 8);
	vcpu->realign = false;
}

void gt__spans_abandon(struct gt__spans *spans, const struct gt__when *when)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;

	while (context->stack->top)
		gt__context_remove(&spans->contexts, context->stack->top);
	context->unseen_parent = 0;
	context->doubtful = false;
}

void gt__spans_returned(struct gt__spans *spans, const struct gt__when *when)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	const struct gt__entry *stay = vcpu->context->stack->top;

	/* A thread that is preempted goes on at whatever level is free then. */
	while (stay && stay->level > when->level &&
	       (!vcpu->preemptible || stay->turn == vcpu->turns))
		stay = stay->below;
	unwind(spans, vcpu->context, stay, when->ns, IT_HAS_ENDED);
}
