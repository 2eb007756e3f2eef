/* SPDX-License-Identifier: MIT */
#include "spans_inside.h"
#include "host/decode/bytes.h"
#include "host/decode/foreign.h"

#include <errno.h>
#include <stdlib.h>

int gt__spans_init(struct gt__spans *spans, struct gt__fanout *fanout,
                   const struct gt_trace *trace, struct gt_summary *summary,
                   const struct gt__names *names,
                   const struct gt_limits *limits, struct gt__hash_key hash_key)
{
	*spans = (struct gt__spans){
		.fields_max = limits->fields,
		.views = {.value_bytes_max = limits->value_bytes,
		          .losses = &summary->losses},
		.fanout = fanout,
		.trace = trace,
		.summary = summary,
		.names = *names,
		.vcpu_count = trace->vcpus,
	};
	spans->names.open = &spans->open;
	spans->names.traces = &spans->traces;
	gt__open_table_init(&spans->open, limits->open_spans,
	                    limits->span_bytes, hash_key);
	gt__contexts_init(&spans->contexts, limits->contexts,
	                  limits->open_spans, hash_key);
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

static void forget_open(struct gt__spans *spans, struct gt__open_span *span)
{
	gt__trace_give(&spans->traces, span->trace);
	gt__open_table_remove(&spans->open, span);
}

void gt__spans_fini(struct gt__spans *spans)
{
	struct gt__early *early;

	for (uint32_t i = 0; spans->vcpus && i < spans->vcpu_count; i++)
		while (spans->vcpus[i].limbo.top)
			gt__context_remove(&spans->contexts,
			                   spans->vcpus[i].limbo.top);
	gt__contexts_fini(&spans->contexts);
	while (spans->open.oldest)
		forget_open(spans, spans->open.oldest);
	gt__open_table_fini(&spans->open);
	gt__traces_forget(&spans->traces);
	gt__views_fini(&spans->views);
	for (uint32_t i = 0; spans->vcpus && i < spans->vcpu_count; i++)
		gt__seen_fini(&spans->vcpus[i].seen);
	while ((early = gt__earlies_take_any(&spans->early)))
		free(early);
	free(spans->vcpus);
	spans->vcpus = NULL;
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

/* By the order of records; what led to it may have been a guess. */
static uint64_t implied_parent(const struct gt__spans *spans,
                               const struct gt__when *when, unsigned *flags)
{
	if (gt__spans_top_is_guessed(spans, when->vcpu))
		*flags |= GT_SPAN_PARENT_GUESSED;
	return gt__spans_top(spans, when->vcpu);
}

/* The explicit parent among the values; else the current span. */
static uint64_t parent_of(const struct gt__spans *spans,
                          const struct gt__when *when,
                          const struct gt__record *record, unsigned *flags)
{
	const uint8_t *body = record->body;
	size_t count = record->body_bytes;
	struct gt__value value;

	if (record->has_parent)
		return record->parent;
	if (!record->site->says_parent)
		return implied_parent(spans, when, flags);
	for (uint32_t i = 0; i < record->site->field_count; i++) {
		enum gt_type type = record->site->fields[i].type;
		size_t bytes = gt__value_read(type, body, count, &value);

		if (type == GT_TYPE_PARENT)
			return value.word;
		body += bytes;
		count -= bytes;
	}
	return implied_parent(spans, when, flags);
}

/* ---- Traces -------------------------------------------------------------- */

/* The guest's own number for a span of this run that is of that trace; 0. */
static uint64_t own_span(const struct gt__spans *spans,
                         const struct gt_link *context)
{
	uint64_t id = context->span_id - spans->names.id_base;
	const struct gt__open_span *span =
		gt__open_table_find(&spans->open, id);
	const uint8_t *trace_id = spans->names.trace_id;

	if (!span)
		return 0;
	if (span->trace)
		trace_id = span->trace->shown.trace_id;
	return memcmp(trace_id, context->trace_id, 16) == 0 ? id : 0;
}

/* What a record said of its span's trace; false: nothing. */
static bool begins_part(struct gt__spans *spans, const struct gt__when *when,
                        const struct gt__record *record,
                        struct gt__open_span *span)
{
	struct gt__said said;
	uint64_t own = 0;

	gt__traces_read(record, &said);
	spans->summary->losses.bad_contexts +=
		(uint64_t)__builtin_popcount(said.bad);
	span->said = (uint8_t)(said.good | said.empty);
	if (said.new_root)
		span->parent = 0;
	else if (said.good & GT__SAYS_TRACEPARENT)
		own = own_span(spans, &said.parent);
	else
		return false;
	if (own) { /* back from another process */
		span->parent = own;
		return false;
	}
	span->trace = gt__trace_new(
		&spans->traces, &said, &spans->names.sampler,
		spans->names.trace_id, gt__exported(&spans->names, when->id));
	if (!span->trace)
		return false;
	span->begins = true;
	span->parent_remote = !said.new_root;
	if (span->parent_remote)
		span->parent = said.parent.span_id;
	return true;
}

/* Nearly always the innermost entered one: no table need be asked. */
static struct gt__open_span *find(const struct gt__spans *spans,
                                  const struct gt__when *when, uint64_t id)
{
	const struct gt__entry *top =
		spans->vcpus[when->vcpu].context->stack->top;

	return top && top->span->id == id
	               ? top->span
	               : gt__open_table_find(&spans->open, id);
}

static struct gt__trace *trace_of(const struct gt__spans *spans,
                                  const struct gt__when *when, uint64_t id)
{
	const struct gt__open_span *span = find(spans, when, id);

	return span ? span->trace : gt__traces_past(&spans->traces, id);
}

/* Parent and trace of a span: what it says, else as its parent has them. */
static void place(struct gt__spans *spans, const struct gt__when *when,
                  const struct gt__record *record, struct gt__open_span *span)
{
	if (record->site->says_trace && record->body_bytes &&
	    begins_part(spans, when, record, span))
		return;
	if (spans->traces.count)
		span->trace =
			gt__trace_take(trace_of(spans, when, span->parent));
	if (span->parent)
		return;
	span->parent_remote = spans->trace->parent_id != 0;
	span->parent = spans->trace->parent_id;
}

/* ---- Openings ------------------------------------------------------------ */

static struct gt__open_span *add(struct gt__spans *spans,
                                 const struct gt__when *when)
{
	uint32_t hash = gt__open_table_hash(&spans->open, when->id);
	struct gt__open_span *old =
		gt__open_table_at(&spans->open, when->id, hash);

	if (old) {
		spans->summary->losses.replaced_spans++;
		gt__spans_end(spans, old, when->ns, when->vcpu,
		              GT_SPAN_REPLACED);
	}
	if (spans->open.count == spans->open.count_max && spans->open.oldest) {
		spans->summary->losses.evicted_spans++;
		gt__spans_end(spans, spans->open.oldest, when->ns,
		              spans->open.oldest->vcpu, GT_SPAN_EVICTED);
	}
	return gt__open_table_add(&spans->open, when->id, hash);
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

static void say_fields(struct gt__spans *spans, struct gt__open_span *span,
                       const struct gt__item *item,
                       const struct gt__record *record)
{
	uint64_t count = field_count(record);

	if (count <= spans->fields_max - span->fields &&
	    gt__open_table_say(&spans->open, span, item, record->body)) {
		span->fields += (uint32_t)count;
		return;
	}
	span->dropped_fields += count;
	spans->summary->losses.dropped_fields += count;
}

static void on_span(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record,
                    struct gt__open_span *span);

/* What other vCPUs have said of it already, by their clocks. */
static void take_early(struct gt__spans *spans, uint64_t id)
{
	struct gt__early *early;

	while ((early = gt__earlies_take(&spans->early, id))) {
		const struct gt__when when = {
			.ns = early->ns,
			.vcpu = early->vcpu,
			.level = early->level,
			.adjusted = true,
		};
		struct gt__open_span *span =
			gt__open_table_find(&spans->open, id);

		spans->summary->losses.adjusted_records += !early->adjusted;
		if (span)
			on_span(spans, &when, &early->record, span);
		else
			spans->summary->losses.unknown_spans++;
		free(early);
	}
}

static void on_open(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record)
{
	unsigned guessed = 0;
	uint64_t parent = parent_of(spans, when, record, &guessed);
	struct gt__open_span *span = add(spans, when);
	struct gt__item item;

	fill_item(spans, when, record, &item);
	if (!span) {
		spans->summary->losses.evicted_spans++;
		return;
	}
	span->parent = parent;
	place(spans, when, record, span);
	span->start_ns = when->ns;
	span->sequence = item.sequence;
	span->site = record->site;
	span->vcpu = when->vcpu;
	span->level = when->level;
	span->flags = item.flags | guessed;
	span->scoped = record->kind == GT_RECORD_SPAN;
	if (item.body_bytes)
		say_fields(spans, span, &item, record);
	if (span->scoped)
		gt__context_is_scope(gt__spans_enter(spans, when, span));
	if (spans->fanout->wants_open)
		gt__fanout_open(
			spans->fanout, spans->trace,
			gt__view_span(&spans->views, &spans->names, span));
	if (spans->early.first)
		take_early(spans, when->id);
}

static void on_event(struct gt__spans *spans, const struct gt__when *when,
                     const struct gt__record *record)
{
	unsigned guessed = 0;
	uint64_t parent = parent_of(spans, when, record, &guessed);
	struct gt__open_span *span = find(spans, when, parent);
	bool counter = record->kind == GT_RECORD_COUNTER;
	const struct gt_event_view *view;
	struct gt__item item;

	fill_item(spans, when, record, &item);
	item.flags |= guessed;
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
	                      gt__exported(&spans->names, parent),
	                      span ? span->trace
	                           : gt__names_trace(&spans->names, parent));
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
	say_fields(spans, span, &item, record);
}

/* Made by another vCPU; else its opening would have come before. */
static bool is_early(const struct gt__spans *spans, const struct gt__when *when,
                     uint64_t id)
{
	return when->native && id >> GT_ID_VCPU_SHIFT != when->vcpu &&
	       gt__spans_seen(spans, id) == GT__SEEN_TO_COME;
}

/* Of a span whose opening is gone; that it is left is all that matters. */
static void on_unknown(struct gt__spans *spans, const struct gt__when *when,
                       const struct gt__record *record)
{
	struct gt__context *context = spans->vcpus[when->vcpu].context;
	const struct gt__early early = {
		.ns = when->ns,
		.vcpu = when->vcpu,
		.level = when->level,
		.adjusted = when->adjusted,
		.record = *record,
	};

	if (is_early(spans, when, record->id) &&
	    gt__earlies_add(&spans->early, &early))
		return;
	spans->summary->losses.unknown_spans++;
	if (record->kind == GT_RECORD_ENTER)
		gt__spans_doubt(context);
	if (context->unseen_parent == record->id &&
	    (record->kind == GT_RECORD_EXIT || record->kind == GT_RECORD_CLOSE))
		context->unseen_parent = 0;
}

static void on_span(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record, struct gt__open_span *span)
{
	if (record->kind == GT_RECORD_FIELDS)
		on_fields(spans, when, record, span);
	else if (record->kind == GT_RECORD_ENTER)
		gt__spans_enter(spans, when, span);
	else if (record->kind == GT_RECORD_EXIT)
		gt__spans_leave(spans, when, span);
	else
		gt__spans_end(spans, span, when->ns, when->vcpu,
		              when->adjusted ? GT_SPAN_ADJUSTED : 0);
}

static void on_id(struct gt__spans *spans, const struct gt__when *when,
                  const struct gt__record *record)
{
	struct gt__open_span *span = find(spans, when, record->id);

	if (span)
		on_span(spans, when, record, span);
	else
		on_unknown(spans, when, record);
}

static void dispatch(struct gt__spans *spans, const struct gt__when *when,
                     const struct gt__record *record)
{
	switch (record->kind) {
	case GT_RECORD_PAD:
		break;
	case GT_RECORD_SYNC:
		gt__spans_sync(spans, when, record);
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
		on_id(spans, when, record);
		break;
	case GT_RECORD_SWITCH:
		gt__spans_switch(spans, when, record);
		break;
	case GT_RECORD_ABANDON:
		gt__spans_abandon(spans, when);
		break;
	}
}

void gt__spans_record(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record)
{
	struct gt__vcpu_spans *vcpu = &spans->vcpus[when->vcpu];
	uint64_t before;

	if (vcpu->lost_by_now != vcpu->lost || vcpu->realign)
		gt__spans_returned(spans, when);
	before = gt__spans_top(spans, when->vcpu);
	dispatch(spans, when, record);
	vcpu->before[when->level] = before;
	if (when->native)
		vcpu->seen.last[when->level] = when->id;
}

void gt__spans_lost(struct gt__spans *spans, uint32_t vcpu, uint64_t lost,
                    bool preemptible)
{
	spans->vcpus[vcpu].lost_by_now = lost;
	spans->vcpus[vcpu].preemptible = preemptible;
}

void gt__spans_gap(struct gt__spans *spans, uint32_t vcpu, uint32_t level,
                   uint64_t from, uint64_t to)
{
	uint64_t base = GT_ID_BASE(vcpu, level);

	spans->vcpus[vcpu].realign = true;
	gt__seen_gap(&spans->vcpus[vcpu].seen, from + base, to + base);
}
