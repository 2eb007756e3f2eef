/* SPDX-License-Identifier: MIT */
#include "spans.h"
#include "host/decode/bytes.h"
#include "host/decode/foreign.h"

#include <errno.h>
#include <stdlib.h>

int gt__spans_init(struct gt__spans *spans, struct gt__fanout *fanout,
                   const struct gt_trace *trace, struct gt_summary *summary,
                   const struct gt__names *names,
                   const struct gt_limits *limits, uint64_t hash_key)
{
	*spans = (struct gt__spans){
		.fanout = fanout,
		.trace = trace,
		.summary = summary,
		.names = *names,
		.vcpu_count = trace->vcpus,
	};
	gt__open_table_init(&spans->open, limits->open_spans,
	                    limits->span_bytes, hash_key);
	gt__contexts_init(&spans->contexts, limits->contexts, hash_key);
	spans->vcpus = calloc(trace->vcpus, sizeof(*spans->vcpus));
	if (!spans->vcpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < trace->vcpus; i++) {
		spans->vcpus[i].context =
			gt__context_get(&spans->contexts, i, 0);
		spans->vcpus[i].context->in_use = true;
	}
	return 0;
}

void gt__spans_fini(struct gt__spans *spans)
{
	gt__open_table_fini(&spans->open);
	gt__contexts_fini(&spans->contexts);
	gt__views_fini(&spans->views);
	free(spans->vcpus);
	spans->vcpus = NULL;
}

/* ---- Ending -------------------------------------------------------------- */

static void end(struct gt__spans *spans, struct gt__open_span *span,
                uint64_t ns, uint32_t vcpu, unsigned flags)
{
	struct gt_span_view *view;

	span->flags |= flags;
	spans->summary->spans++;
	gt__context_remove(span);
	if (spans->fanout->wants_close) {
		view = gt__view_span(&spans->views, &spans->names, span);
		view->end_ns = ns > view->start_ns ? ns : view->start_ns;
		view->close_vcpu = vcpu;
		gt__fanout_close(spans->fanout, spans->trace, view);
	}
	gt__open_table_remove(&spans->open, span);
}

/* Whose close may be among what is missing was perhaps not open any more; a
 * guest that ended by itself rather lost the close. */
static unsigned end_flags(const struct gt__spans *spans,
                          const struct gt__open_span *span)
{
	if (!spans->missing || span->start_ns > spans->missing_ns)
		return GT_SPAN_INTERRUPTED;
	if (spans->summary->ending == GT_ENDING_HALTED)
		return GT_SPAN_CLOSE_LOST;
	return GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST;
}

void gt__spans_interrupt(struct gt__spans *spans, uint64_t ns)
{
	struct gt__open_span *span;

	while ((span = spans->open.newest))
		end(spans, span, ns, span->vcpu, end_flags(spans, span));
}

void gt__spans_missing(struct gt__spans *spans, uint64_t ns)
{
	spans->missing = true;
	if (ns > spans->missing_ns)
		spans->missing_ns = ns;
}

/* ---- Entered spans ------------------------------------------------------- */

/*
 * Takes everything above `stay` from the stack (NULL: all of it). A scope whose
 * close we never saw ends here; a span opened apart may still be closed.
 */
static void unwind(struct gt__spans *spans, struct gt__context *context,
                   const struct gt__open_span *stay, uint64_t ns)
{
	while (context->top && context->top != stay) {
		struct gt__open_span *span = context->top;

		gt__context_remove(span);
		if (span->scoped)
			end(spans, span, ns, span->vcpu, GT_SPAN_CLOSE_LOST);
	}
}

/* Makes `current`, the guest's word, the top of the context's stack. */
static void realign(struct gt__spans *spans, struct gt__context *context,
                    uint64_t current, uint64_t ns)
{
	struct gt__open_span *span = gt__open_table_find(&spans->open, current);

	unwind(spans, context, span && span->context == context ? span : NULL,
	       ns);
	if (span && span->context && span->context != context &&
	    span->context->number == context->number)
		gt__context_move(context, span->context);
	else if (span && span->context != context)
		gt__context_push(context, span);
	context->unseen_parent = span ? 0 : current;
}

static uint64_t current_of(const struct gt__spans *spans, uint32_t vcpu)
{
	const struct gt__context *context = spans->vcpus[vcpu].context;

	return context->top ? context->top->id : context->unseen_parent;
}

uint64_t gt__spans_current(const struct gt__spans *spans, uint32_t vcpu)
{
	return gt__exported(&spans->names, current_of(spans, vcpu));
}

static void set_context(struct gt__spans *spans, uint32_t number,
                        uint64_t context)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[number];

	vcpu->context->in_use = false;
	vcpu->context = gt__context_get(&spans->contexts, number, context);
	vcpu->context->in_use = true;
}

static void on_sync(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	uint64_t current = gt__load64(record->body);
	uint64_t lost = gt__load64(record->body + 8);

	if (lost != vcpu->lost || vcpu->realign) {
		set_context(spans, when->vcpu, gt__load64(record->body + 24));
		realign(spans, vcpu->context, current, when->ns);
	}
	vcpu->lost = lost;
	vcpu->realign = false;
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
static void on_switch(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	uint64_t current = gt__load64(record->body + 8);

	set_context(spans, when->vcpu, gt__load64(record->body));
	vcpu->turns++;
	if (current_of(spans, when->vcpu) != current &&
	    !is_under_way(vcpu, when->level, current))
		realign(spans, vcpu->context, current, when->ns);
}

static void on_abandon(struct gt__spans *spans, const struct gt__when *when)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;

	while (context->top)
		gt__context_remove(context->top);
	context->unseen_parent = 0;
}

/* ---- Records ------------------------------------------------------------- */

static void fill_item(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record, struct gt__item *item)
{
	item->site = record->site;
	item->time_ns = when->ns;
	item->sequence = ++spans->sequence;
	item->body_bytes = (uint32_t)record->body_bytes;
	item->vcpu = when->vcpu;
	item->level = when->level;
	item->flags = (when->adjusted ? GT_SPAN_ADJUSTED : 0u) |
	              (record->flags & GT_RECORD_CUT ? GT_SPAN_CUT : 0u);
}

/* The explicit parent among the values; else the current span. */
static uint64_t parent_of(const struct gt__spans *spans,
                          const struct gt__when *when,
                          const struct gt__record *record)
{
	const uint8_t *body = record->body;
	size_t count = record->body_bytes;
	struct gt__value value;

	if (record->has_parent)
		return record->parent;
	if (!record->site->says_parent)
		return current_of(spans, when->vcpu);
	for (uint32_t i = 0; i < record->site->field_count; i++) {
		enum gt_type type = record->site->fields[i].type;
		size_t bytes = gt__value_read(type, body, count, &value);

		if (type == GT_TYPE_PARENT)
			return value.word;
		body += bytes;
		count -= bytes;
	}
	return current_of(spans, when->vcpu);
}

static struct gt__open_span *add(struct gt__spans *spans,
                                 const struct gt__when *when)
{
	struct gt__open_span *old = gt__open_table_find(&spans->open, when->id);

	if (old) {
		spans->summary->losses.replaced_spans++;
		end(spans, old, when->ns, when->vcpu, GT_SPAN_REPLACED);
	}
	if (spans->open.count == spans->open.count_max && spans->open.oldest) {
		spans->summary->losses.evicted_spans++;
		end(spans, spans->open.oldest, when->ns,
		    spans->open.oldest->vcpu, GT_SPAN_EVICTED);
	}
	return gt__open_table_add(&spans->open, when->id);
}

/* What is counted as dropped when a record's fields are not kept. */
static uint64_t field_count(const struct gt__record *record)
{
	struct gt_text key, value;
	uint64_t count = 0;

	if (!record->site->pairs)
		return record->site->field_count;
	for (size_t done = 0, bytes;; done += bytes, count++) {
		bytes = gt__pair_read(record->body + done,
		                      record->body_bytes - done, &key, &value);
		if (bytes == 0)
			return count;
	}
}

static void enter(struct gt__spans *spans, const struct gt__when *when,
                  struct gt__open_span *span)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];

	span->entered_level = when->level;
	span->entered_turn = vcpu->turns;
	gt__context_push(vcpu->context, span);
}

static void on_open(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record)
{
	uint64_t parent = parent_of(spans, when, record);
	struct gt__open_span *span = add(spans, when);
	struct gt__item item;

	fill_item(spans, when, record, &item);
	if (!span) {
		spans->summary->losses.evicted_spans++;
		return;
	}
	span->parent_remote = parent == 0 && spans->trace->parent_id != 0;
	span->parent = parent ? parent : spans->trace->parent_id;
	span->start_ns = when->ns;
	span->sequence = item.sequence;
	span->site = record->site;
	span->vcpu = when->vcpu;
	span->level = when->level;
	span->flags = item.flags;
	span->scoped = record->kind == GT_RECORD_SPAN;
	if (item.body_bytes &&
	    !gt__open_table_say(&spans->open, span, &item, record->body)) {
		span->dropped_fields += field_count(record);
		spans->summary->losses.dropped_fields += field_count(record);
	}
	if (span->scoped)
		enter(spans, when, span);
	if (!spans->fanout->wants_open)
		return;
	gt__fanout_open(spans->fanout, spans->trace,
	                gt__view_span(&spans->views, &spans->names, span));
}

static void on_event(struct gt__spans *spans, const struct gt__when *when,
                     const struct gt__record *record)
{
	uint64_t parent = parent_of(spans, when, record);
	struct gt__open_span *span = gt__open_table_find(&spans->open, parent);
	bool counter = record->kind == GT_RECORD_COUNTER;
	const struct gt_event_view *view;
	struct gt__item item;

	fill_item(spans, when, record, &item);
	if (counter)
		spans->summary->counters++;
	else
		spans->summary->events++;
	if (span && !counter)
		span->has_events = true;
	if (span && !counter &&
	    !gt__open_table_say(&spans->open, span, &item, record->body)) {
		span->dropped_events++;
		spans->summary->losses.dropped_events++;
	}
	if (counter ? !spans->fanout->wants_counter
	            : !spans->fanout->wants_event)
		return;
	view = gt__view_event(&spans->views, &spans->names, &item, record->body,
	                      gt__exported(&spans->names, parent));
	if (counter)
		gt__fanout_counter(spans->fanout, spans->trace, view);
	else
		gt__fanout_event(spans->fanout, spans->trace, view);
}

static void on_fields(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record,
                      struct gt__open_span *span)
{
	struct gt__item item;

	fill_item(spans, when, record, &item);
	span->flags |= item.flags;
	if (gt__open_table_say(&spans->open, span, &item, record->body))
		return;
	span->dropped_fields += field_count(record);
	spans->summary->losses.dropped_fields += field_count(record);
}

/* Of a span whose opening is gone; that it is left is all that matters. */
static void on_unknown(struct gt__spans *spans, const struct gt__when *when,
                       const struct gt__record *record)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;

	spans->summary->losses.unknown_spans++;
	if (context->unseen_parent == record->id &&
	    (record->kind == GT_RECORD_EXIT || record->kind == GT_RECORD_CLOSE))
		context->unseen_parent = 0;
}

static void on_span(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record)
{
	struct gt__open_span *span =
		gt__open_table_find(&spans->open, record->id);

	if (!span)
		on_unknown(spans, when, record);
	else if (record->kind == GT_RECORD_FIELDS)
		on_fields(spans, when, record, span);
	else if (record->kind == GT_RECORD_ENTER)
		enter(spans, when, span);
	else if (record->kind == GT_RECORD_EXIT)
		gt__context_remove(span);
	else
		end(spans, span, when->ns, when->vcpu,
		    when->adjusted ? GT_SPAN_ADJUSTED : 0);
}

static void dispatch(struct gt__spans *spans, const struct gt__when *when,
                     const struct gt__record *record)
{
	switch (record->kind) {
	case GT_RECORD_PAD:
		break;
	case GT_RECORD_SYNC:
		on_sync(spans, when, record);
		break;
	case GT_RECORD_EVENT:
	case GT_RECORD_COUNTER:
		on_event(spans, when, record);
		break;
	case GT_RECORD_OPEN:
	case GT_RECORD_SPAN:
		on_open(spans, when, record);
		break;
	case GT_RECORD_FIELDS:
	case GT_RECORD_ENTER:
	case GT_RECORD_EXIT:
	case GT_RECORD_CLOSE:
		on_span(spans, when, record);
		break;
	case GT_RECORD_SWITCH:
		on_switch(spans, when, record);
		break;
	case GT_RECORD_ABANDON:
		on_abandon(spans, when);
		break;
	}
}

/*
 * Records are missing. Who records here has not been interrupted any more: what
 * handlers had entered is left, if it was their leaving that was lost.
 */
static void end_returned(struct gt__spans *spans, const struct gt__when *when)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	const struct gt__open_span *stay = vcpu->context->top;

	/* A thread that is preempted goes on at whatever level is free then. */
	while (stay && stay->entered_level > when->level &&
	       (!vcpu->preemptible || stay->entered_turn == vcpu->turns))
		stay = stay->below;
	unwind(spans, vcpu->context, stay, when->ns);
}

void gt__spans_record(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	uint64_t before;

	if (vcpu->lost_by_now != vcpu->lost || vcpu->realign)
		end_returned(spans, when);
	before = current_of(spans, when->vcpu);
	dispatch(spans, when, record);
	vcpu->before[when->level] = before;
}

void gt__spans_restart(struct gt__spans *spans, uint64_t id_base, uint64_t ns)
{
	gt__spans_interrupt(spans, ns);
	spans->names.id_base = id_base;
	for (uint32_t i = 0; i < spans->vcpu_count; i++) {
		set_context(spans, i, 0);
		spans->vcpus[i].context->unseen_parent = 0;
		spans->vcpus[i].lost = spans->vcpus[i].lost_by_now = 0;
		spans->vcpus[i].realign = false;
		memset(spans->vcpus[i].before, 0,
		       sizeof(spans->vcpus[i].before));
	}
}

void gt__spans_lost(struct gt__spans *spans, uint32_t vcpu, uint64_t lost,
                    bool preemptible)
{
	spans->vcpus[vcpu].lost_by_now = lost;
	spans->vcpus[vcpu].preemptible = preemptible;
}

void gt__spans_gap(struct gt__spans *spans, uint32_t vcpu)
{
	spans->vcpus[vcpu].realign = true;
}
