/* SPDX-License-Identifier: MIT */
/* Keeps a trace and builds its tree, without recursion. */
#include "collect.h"
#include "export/out/values.h"
#include "export/out/words.h"
#include <errno.h>
#include <string.h>

#define ITEMS_MAX (UINT32_MAX / 2) /* spans, events, stretches: each */

static bool keep_text(struct gt__collect *c, struct gt_text *text)
{
	char *bytes = gt__collect_take(c, text->count, 1);

	if (!bytes)
		return false;
	if (text->count)
		memcpy(bytes, text->bytes, text->count);
	text->bytes = bytes;
	return true;
}

static bool keep_key(struct gt__collect *c, struct gt_text *key)
{
	struct gt_text *kept = gt__kept_key(&c->keys, *key);

	if (!kept)
		return false;
	if (!kept->bytes) {
		if (!keep_text(c, key))
			return false;
		*kept = *key;
	}
	*key = *kept;
	return true;
}

static bool keep_fields(struct gt__collect *c, const struct gt_field **fields,
                        size_t count)
{
	struct gt_field *copy = NULL;
	size_t i;

	if (count) {
		copy = gt__collect_take(c, count * sizeof *copy,
		                        _Alignof(struct gt_field));
		if (!copy)
			return false;
		memcpy(copy, *fields, count * sizeof *copy);
	}
	for (i = 0; i < count; i++) {
		if (!keep_key(c, &copy[i].key))
			return false;
		if ((copy[i].type == GT_TYPE_STRING ||
		     copy[i].type == GT_TYPE_BYTES) &&
		    !keep_text(c, &copy[i].value.text))
			return false;
	}
	*fields = copy;
	return true;
}

/* Makes room for one more of `count` members. */
static bool reserve(void **array, uint32_t *size, uint32_t count, size_t member)
{
	uint32_t wanted = *size ? *size * 2 : 256;
	void *larger;

	if (count < *size)
		return true;
	if (count >= ITEMS_MAX / 2)
		return false;
	larger = realloc(*array, wanted * member);
	if (!larger)
		return false;
	*array = larger;
	*size = wanted;
	return true;
}

/* Most are of the run's trace, and others of the one that was seen last. */
static bool keep_trace(struct gt__collect *c,
                       const struct gt_span_trace **trace)
{
	const struct gt_span_trace *last = c->last_trace, *given = *trace;
	struct gt_span_trace *copy;

	if (!given)
		return true;
	if (!last || last->flags != given->flags ||
	    memcmp(last->trace_id, given->trace_id, 16) ||
	    !gt__same_text(last->trace_state, given->trace_state)) {
		copy = gt__collect_take(c, sizeof *copy,
		                        _Alignof(struct gt_span_trace));
		if (!copy)
			return false;
		*copy = *given;
		if (!keep_text(c, &copy->trace_state))
			return false;
		c->last_trace = copy;
	}
	*trace = c->last_trace;
	return true;
}

static bool is_in_range(const struct gt__collect *c, uint64_t start_ns,
                        uint64_t end_ns)
{
	return !c->choice ||
	       gt__is_in_range(c->choice, c->head.trace, start_ns, end_ns);
}

/* The value of the field that tells names apart, as a text. */
static bool keep_by(struct gt__collect *c, struct gt__span *span)
{
	const struct gt_text key = {c->by, strlen(c->by)};
	size_t i = span->view.field_count;
	const struct gt_field *f = NULL;
	struct gt_output none = {0};
	struct gt__out text;
	bool kept;

	while (i-- && !f)
		if (gt__same_text(span->view.fields[i].key, key))
			f = &span->view.fields[i];
	if (!f)
		return true;
	gt__out_init(&text, &none);
	if (gt__put_plain(&text, f))
		span->by = (struct gt_text){text.bytes, text.used};
	else
		span->by = f->value.text;
	kept = !text.error && keep_key(c, &span->by);
	gt__out_fini(&text);
	return kept;
}

/* What the view borrows. */
static bool keep_details(struct gt__collect *c, struct gt_span_view *view)
{
	struct gt_link *links = NULL;

	if (!keep_fields(c, &view->fields, view->field_count) ||
	    !keep_text(c, &view->status_text))
		return false;
	if (view->link_count) {
		links = gt__collect_take(c, view->link_count * sizeof *links,
		                         _Alignof(struct gt_link));
		if (!links)
			return false;
		memcpy(links, view->links, view->link_count * sizeof *links);
	}
	view->links = links;
	return true;
}

static void drop_details(struct gt_span_view *view)
{
	view->fields = NULL;
	view->field_count = 0;
	view->links = NULL;
	view->link_count = 0;
	view->status_text.count = 0;
}

/* Keeps the trace of it alone. */
static int shelve_span(struct gt__collect *c, const struct gt_span_view *view)
{
	struct gt__span span = {
		.view = *view,
		.chosen = !c->choice ||
	                  gt__is_chosen(c->choice, c->head.trace, view),
		.in_range = is_in_range(c, view->start_ns, view->end_ns),
	};

	if (!c->shelf || !keep_trace(c, &span.view.trace))
		return -ENOMEM;
	return gt__shelf_span(c->shelf, &span);
}

static int shelve_event(struct gt__collect *c, const struct gt_event_view *view,
                        bool counter)
{
	struct gt_event_view copy = *view;

	if (!c->shelf || !keep_trace(c, &copy.trace))
		return -ENOMEM;
	return gt__shelf_event(c->shelf, &copy, counter);
}

int gt__collect_span(struct gt__collect *c, const struct gt_span_view *view)
{
	struct gt_span_view copy = *view;
	struct gt__span *span;

	if (c->shelved)
		return shelve_span(c, view);
	if (!reserve((void **)&c->spans, &c->span_size, c->span_count,
	             sizeof *c->spans) ||
	    !keep_trace(c, &copy.trace) ||
	    (!c->spans_only && !keep_details(c, &copy)))
		return -ENOMEM;
	copy.events = NULL;
	copy.event_count = 0;
	span = &c->spans[c->span_count++];
	*span = (struct gt__span){
		.view = copy,
		.parent = GT__ROOT,
		.chosen = !c->choice ||
	                  gt__is_chosen(c->choice, c->head.trace, &copy),
		.in_range = is_in_range(c, copy.start_ns, copy.end_ns),
	};
	if (c->by && !keep_by(c, span))
		return -ENOMEM;
	if (c->spans_only)
		drop_details(&span->view);
	return 0;
}

int gt__collect_event(struct gt__collect *c, const struct gt_event_view *view,
                      bool counter)
{
	struct gt_event_view copy = *view;

	if (c->spans_only)
		return 0;
	if (c->shelved)
		return shelve_event(c, view, counter);
	if (!reserve((void **)&c->events, &c->event_size, c->event_count,
	             sizeof *c->events) ||
	    !keep_fields(c, &copy.fields, copy.field_count) ||
	    !keep_trace(c, &copy.trace))
		return -ENOMEM;
	c->events[c->event_count++] = (struct gt__event){
		.view = copy,
		.counter = counter,
	};
	return 0;
}

int gt__collect_host_span(struct gt__collect *c,
                          const struct gt_host_span_view *view)
{
	struct gt_text name = view->name;

	if (!reserve((void **)&c->host_spans, &c->host_span_size,
	             c->host_span_count, sizeof *c->host_spans))
		return -ENOMEM;
	if (view->kind != GT_HOST_WORK)
		name.count = 0;
	if (name.count && !keep_text(c, &name))
		return -ENOMEM;
	c->host_spans[c->host_span_count++] = (struct gt__host_span){
		.parent_id = view->parent_id,
		.start_ns = view->start_ns,
		.end_ns = view->end_ns,
		.waiting_ns = view->waiting_ns,
		.name = name,
		.vcpu = view->vcpu,
		.port = view->port,
		.kind = (uint8_t)view->kind,
		.reason = (uint8_t)view->reason,
		.tracing = view->tracing,
		.flags = view->flags,
	};
	return 0;
}

int gt__collect_gap(struct gt__collect *c, const struct gt_loss_view *view)
{
	if (!reserve((void **)&c->gaps, &c->gap_size, c->gap_count,
	             sizeof *c->gaps))
		return -ENOMEM;
	c->gaps[c->gap_count++] = (struct gt__gap){.view = *view};
	return 0;
}

void gt__collect_free(struct gt__collect *c)
{
	gt__collect_free_chunks(c, c->chunks);
	free(c->spans);
	free(c->events);
	free(c->items);
	free(c->names);
	free(c->host_spans);
	free(c->gaps);
	free(c->splits);
	gt__kept_keys_fini(&c->keys);
	gt__timeline_fini(&c->timeline);
	gt__shelf_free(c->shelf);
	free(c);
}

/* ---- The tree ------------------------------------------------------------ */

struct id {
	uint64_t id;
	uint32_t span; /* index; GT__ROOT: the slot is free */
};

struct ids { /* open addressing */
	struct id *slots;
	uint32_t mask;
	struct gt__hash_key key;
};

static struct id *slot_of(const struct ids *ids, uint64_t id)
{
	uint32_t i = (uint32_t)gt__hash_word(&ids->key, id);

	for (;; i++) {
		struct id *slot = &ids->slots[i & ids->mask];

		if (slot->span == GT__ROOT || slot->id == id)
			return slot;
	}
}

static bool index_ids(struct ids *ids, const struct gt__collect *c)
{
	uint32_t i, size = 64;

	while (size < c->span_count * (uint64_t)2)
		size *= 2;
	ids->mask = size - 1;
	ids->key = gt__hash_key();
	ids->slots = malloc(size * sizeof *ids->slots);
	if (!ids->slots)
		return false;
	memset(ids->slots, 0xff, size * sizeof *ids->slots);
	for (i = 0; i < c->span_count; i++) {
		uint64_t id = c->spans[i].view.id;

		*slot_of(ids, id) = (struct id){id, i};
	}
	return true;
}

/*
 * Climbs from every span, marking the way in `cursor` with the number of the
 * climb; who meets its own mark has closed a cycle and becomes a root there.
 */
static void cut_cycles(struct gt__collect *c)
{
	uint32_t i, at, climb;

	for (i = 0; i < c->span_count; i++) {
		climb = i + 1;
		for (at = i; !c->spans[at].cursor;) {
			uint32_t parent = c->spans[at].parent;

			c->spans[at].cursor = climb;
			if (parent == GT__ROOT)
				break;
			if (c->spans[parent].cursor == climb)
				c->spans[at].parent = GT__ROOT;
			else
				at = parent;
		}
	}
	for (i = 0; i < c->span_count; i++)
		c->spans[i].cursor = 0;
}

static void find_parents(struct gt__collect *c, const struct ids *ids)
{
	uint64_t last_id = 0;
	uint32_t i, last = GT__ROOT;

	for (i = 0; i < c->span_count; i++) {
		struct gt__span *s = &c->spans[i];

		/* Elsewhere an id may be one of this run's, too. */
		if (s->view.parent_remote)
			continue;
		if (s->view.parent_id != last_id) /* those of one are near */
			last = slot_of(ids, s->view.parent_id)->span;
		last_id = s->view.parent_id;
		s->parent = last;
	}
	for (i = 0; i < c->event_count; i++) {
		struct gt__event *e = &c->events[i];

		e->parent = slot_of(ids, e->view.span_id)->span;
	}
	for (i = 0; i < c->host_span_count; i++)
		c->host_spans[i].parent =
			slot_of(ids, c->host_spans[i].parent_id)->span;
	for (i = 0; i < c->gap_count; i++)
		c->gaps[i].parent = slot_of(ids, c->gaps[i].view.span_id)->span;
	cut_cycles(c);
}

static bool sort_items(struct gt__collect *c)
{
	uint32_t i, n = 0, hosts = c->shows_exits ? c->host_span_count : 0;
	size_t count = (size_t)c->span_count + c->event_count + hosts +
	               c->gap_count + 1;
	struct gt__item *items = malloc(count * sizeof *items);

	if (!items)
		return false;
	for (i = 0; i < c->span_count; i++)
		items[n++] = (struct gt__item){
			.sequence = c->spans[i].view.sequence,
			.parent = c->spans[i].parent,
			.index = i,
			.kind = GT__SPAN_ITEM,
		};
	for (i = 0; i < c->event_count; i++)
		items[n++] = (struct gt__item){
			.sequence = c->events[i].view.sequence,
			.parent = c->events[i].parent,
			.index = i,
			.kind = GT__EVENT_ITEM,
		};
	for (i = 0; i < hosts; i++)
		if (c->host_spans[i].kind != GT_HOST_GUEST)
			items[n++] = (struct gt__item){
				.sequence = c->host_spans[i].sequence,
				.parent = c->host_spans[i].parent,
				.index = i,
				.kind = GT__HOST_ITEM,
			};
	for (i = 0; i < c->gap_count; i++)
		items[n++] = (struct gt__item){
			.sequence = c->gaps[i].view.sequence,
			.parent = c->gaps[i].parent,
			.index = i,
			.kind = GT__GAP_ITEM,
		};
	c->items = items;
	c->item_count = n;
	return gt__collect_index_items(c);
}

static bool link(struct gt__collect *c)
{
	struct ids ids;

	if (!index_ids(&ids, c))
		return false;
	find_parents(c, &ids);
	free(ids.slots);
	return true;
}

static bool build(struct gt__collect *c)
{
	if (!c->no_self && !link(c))
		return false;
	if (c->shows_exits && !gt__collect_place_host_spans(c))
		return false;
	return (c->no_items || sort_items(c)) &&
	       (c->no_times || gt__collect_times(c));
}

/* What of the shelf is looked at, as if nothing else had come. */
static int take_shelved(struct gt__collect *c)
{
	struct gt__shelved s;
	int r = c->shelf ? gt__shelf_choose(c->shelf) : -ENOMEM;

	c->shelved = false;
	while (r == 0 &&
	       (r = gt__shelf_next(c->shelf, c->span_count, &s)) > 0) {
		r = s.kind == GT__PACKED_SPAN
		            ? gt__collect_span(c, &s.span)
		            : gt__collect_event(c, &s.event,
		                                s.kind == GT__PACKED_COUNTER);
		if (r == 0 && s.kind == GT__PACKED_SPAN)
			c->spans[c->span_count - 1].group = s.group;
	}
	return r;
}

int gt__collect_build(struct gt__collect *c)
{
	if (c->shelved && take_shelved(c) < 0)
		return -ENOMEM;
	return build(c) ? 0 : -ENOMEM;
}
