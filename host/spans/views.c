/* SPDX-License-Identifier: MIT */
#include "views.h"
#include "host/decode/bytes.h"
#include "host/decode/foreign.h"
#include "host/decode/utf8.h"
#include "host/decode/w3c.h"

#include <stdlib.h>

#define KEPT_MAX       4096u /* fields, events, links */
#define ITEMS_KEPT_MAX ((size_t)1 << 20)

struct gt__text_block {
	struct gt__text_block *next;
	uint8_t bytes[];
};

static void free_texts(struct gt__views *views)
{
	struct gt__text_block *block = views->texts, *next;

	for (; block; block = next) {
		next = block->next;
		free(block);
	}
	views->texts = NULL;
}

void gt__views_fini(struct gt__views *views)
{
	free_texts(views);
	free(views->fields);
	free(views->events);
	free(views->event_fields);
	free(views->links);
	free(views->items);
	*views = (struct gt__views){.value_bytes_max = views->value_bytes_max,
	                            .losses = views->losses};
}

/* What one large span needed is given back. */
static void reset(struct gt__views *views)
{
	free_texts(views);
	if (views->field_room > KEPT_MAX || views->event_room > KEPT_MAX ||
	    views->link_room > KEPT_MAX || views->items_bytes > ITEMS_KEPT_MAX)
		gt__views_fini(views);
	views->field_count = views->event_count = views->link_count = 0;
	views->status = GT_STATUS_UNSET;
	views->status_text = (struct gt_text){"", 0};
	views->missing_fields = views->missing_events = 0;
}

/* Room for one more of `size` bytes; NULL: no memory, all as before. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t want = *room ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return array;
	grown = realloc(array, want * size);
	if (grown)
		*room = want;
	return grown;
}

/* Valid UTF-8: the record's own bytes, or a copy repaired. */
static struct gt_text text_of(struct gt__views *views, const uint8_t *bytes,
                              size_t count)
{
	struct gt_text text = {(const char *)bytes, count};
	struct gt__text_block *block;

	if (gt__utf8_is_valid(bytes, count))
		return text;
	block = malloc(sizeof(*block) + 3 * count);
	if (!block) {
		gt__views_miss_field(views);
		return (struct gt_text){"", 0};
	}
	block->next = views->texts;
	views->texts = block;
	text.bytes = (const char *)block->bytes;
	text.count = gt__utf8_repair(block->bytes, bytes, count);
	return text;
}

/* A string cut in the middle of a character loses that character's rest. */
static size_t whole_characters(const struct gt__value *value)
{
	size_t count = value->stored_bytes, back = 0;

	if (value->stored_bytes == value->full_bytes)
		return count;
	while (back < 3 && back < count &&
	       (value->bytes[count - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < count && value->bytes[count - 1 - back] >= 0xc0 &&
	    !gt__utf8_is_valid(value->bytes + count - 1 - back, back + 1))
		return count - 1 - back;
	return count;
}

/* What is over the quota counts as cut by the guest: the full length tells. */
static void cut(const struct gt__views *views, struct gt__value *value)
{
	size_t max = views->value_bytes_max;

	if (max && value->stored_bytes > max)
		value->stored_bytes = (uint32_t)max;
}

static void add_link(struct gt__views *views, const struct gt_link *link)
{
	struct gt_link *links = grow(views->links, views->link_count,
	                             &views->link_room, sizeof(*links));

	if (!links) {
		gt__views_miss_field(views);
		return;
	}
	views->links = links;
	links[views->link_count++] = *link;
}

struct gt__trace *gt__names_trace(const struct gt__names *names, uint64_t id)
{
	const struct gt__open_span *span;

	if (!names->traces || names->traces->count == 0)
		return NULL;
	span = gt__open_table_find(names->open, id);
	return span ? span->trace : gt__traces_past(names->traces, id);
}

static void add_run_link(struct gt__views *views, const struct gt__names *names)
{
	struct gt_link link = {
		.span_id = names->run_id,
		.flags = names->flags,
	};

	memcpy(link.trace_id, names->trace_id, sizeof(link.trace_id));
	add_link(views, &link);
}

static void add_own_link(struct gt__views *views, const struct gt__names *names,
                         uint64_t id)
{
	const struct gt__trace *trace = gt__names_trace(names, id);
	struct gt_link link = {
		.span_id = gt__exported(names, id),
		.flags = trace ? (uint8_t)trace->shown.flags : names->flags,
	};

	memcpy(link.trace_id, trace ? trace->shown.trace_id : names->trace_id,
	       sizeof(link.trace_id));
	add_link(views, &link);
}

static void add_remote_link(struct gt__views *views, struct gt_text text)
{
	struct gt_link link = {.remote = true};
	uint32_t flags;

	if (!gt__traceparent_parse(text, link.trace_id, &link.span_id, &flags))
		return;
	link.flags = (uint8_t)flags;
	add_link(views, &link);
}

static void add_field(struct gt__views *views, struct gt_text key,
                      enum gt_type type, const struct gt__value *value)
{
	struct gt_field *fields = grow(views->fields, views->field_count,
	                               &views->field_room, sizeof(*fields));
	struct gt_field *field;

	if (!fields) {
		gt__views_miss_field(views);
		return;
	}
	views->fields = fields;
	field = &fields[views->field_count++];
	field->key = key;
	field->type = type;
	field->full_bytes = 0;
	if (type == GT_TYPE_BOOL)
		field->value.boolean = value->word != 0;
	else
		memcpy(&field->value, &value->word, sizeof(value->word));
	if (type != GT_TYPE_STRING && type != GT_TYPE_BYTES)
		return;
	field->full_bytes = value->full_bytes;
	field->value.text = (struct gt_text){(const char *)value->bytes,
	                                     value->stored_bytes};
	if (type == GT_TYPE_STRING)
		field->value.text =
			text_of(views, value->bytes, whole_characters(value));
}

static void add_value(struct gt__views *views, const struct gt__names *names,
                      const struct gt__site_field *field,
                      const struct gt__value *value)
{
	switch (field->type) {
	case GT_TYPE_U64:
	case GT_TYPE_I64:
	case GT_TYPE_F64:
	case GT_TYPE_BOOL:
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_POINTER:
		add_field(views, field->key, field->type, value);
		break;
	case GT_TYPE_PARENT:
		break; /* resolved when the span was opened */
	case GT_TYPE_LINK:
		if (value->word)
			add_own_link(views, names, value->word);
		break;
	case GT_TYPE_LINK_REMOTE:
		add_remote_link(views,
		                (struct gt_text){(const char *)value->bytes,
		                                 value->stored_bytes});
		break;
	case GT_TYPE_OK:
		views->status = GT_STATUS_OK;
		views->status_text = (struct gt_text){"", 0};
		break;
	case GT_TYPE_FAILED:
		views->status = GT_STATUS_ERROR;
		views->status_text =
			text_of(views, value->bytes, whole_characters(value));
		break;
	}
}

/* Hyperlight's texts were checked to be UTF-8 when they were decoded. */
static void add_pairs(struct gt__views *views, const uint8_t *body,
                      size_t count)
{
	struct gt_text key, text;
	size_t bytes;

	while ((bytes = gt__pair_read(body, count, &key, &text)) != 0) {
		struct gt__value value = {
			.bytes = (const uint8_t *)text.bytes,
			.stored_bytes = (uint32_t)text.count,
			.full_bytes = (uint32_t)text.count,
		};

		cut(views, &value);
		add_field(views, key, GT_TYPE_STRING, &value);
		body += bytes;
		count -= bytes;
	}
}

/* add_values() of a site whose values are words: most sites are. */
static void add_words(struct gt__views *views, const struct gt__site *site,
                      const uint8_t *body, size_t count)
{
	struct gt_field *field;

	if (count != site->fixed_bytes || site->field_count == 0)
		return;
	while (views->field_room - views->field_count < site->field_count) {
		field = grow(views->fields, views->field_room,
		             &views->field_room, sizeof(*field));
		if (!field) {
			gt__views_miss_field(views);
			return;
		}
		views->fields = field;
	}
	field = views->fields + views->field_count;
	views->field_count += site->field_count;
	for (uint32_t i = 0; i < site->field_count; i++, field++, body += 8) {
		uint64_t word = gt__load64(body);

		field->key = site->fields[i].key;
		field->type = site->fields[i].type;
		field->full_bytes = 0;
		if (field->type == GT_TYPE_BOOL)
			field->value.boolean = word != 0;
		else
			memcpy(&field->value, &word, sizeof(word));
	}
}

static void add_values(struct gt__views *views, const struct gt__names *names,
                       const struct gt__site *site, const uint8_t *body,
                       size_t count)
{
	struct gt__value value;

	if (site->pairs) {
		add_pairs(views, body, count);
		return;
	}
	if (site->is_plain) {
		add_words(views, site, body, count);
		return;
	}
	for (uint32_t i = 0; i < site->field_count; i++) {
		size_t bytes = gt__value_read(site->fields[i].type, body, count,
		                              &value);

		if (bytes > count)
			return;
		if (gt__is_text(site->fields[i].type))
			cut(views, &value);
		add_value(views, names, &site->fields[i], &value);
		body += bytes;
		count -= bytes;
	}
}

/* All but the fields. */
static void fill_event(struct gt_event_view *view, const struct gt__item *item,
                       uint64_t span_id, const struct gt__trace *trace)
{
	view->time_ns = item->time_ns;
	view->span_id = span_id;
	view->sequence = item->sequence;
	view->site = &item->site->view;
	view->vcpu = item->vcpu;
	view->level = item->level;
	view->flags = item->flags;
	view->trace = gt__trace_shown(trace);
}

const struct gt_event_view *
gt__view_event(struct gt__views *views, const struct gt__names *names,
               const struct gt__item *item, const uint8_t *body,
               uint64_t span_id, const struct gt__trace *trace)
{
	struct gt_event_view *view = &views->event;

	reset(views);
	add_values(views, names, item->site, body, item->body_bytes);
	fill_event(view, item, span_id, trace);
	view->fields = views->fields;
	view->field_count = views->field_count;
	return view;
}

/* The fields of a span's events lie behind its own; pointers come at the end,
 * when the array no longer moves. */
static bool begin_event(struct gt__views *views, const struct gt__item *item,
                        uint64_t span_id, const struct gt__trace *trace)
{
	size_t room = views->event_room;
	struct gt_event_view *events =
		grow(views->events, views->event_count, &room, sizeof(*events));
	size_t *firsts;

	if (!events)
		return false;
	views->events = events;
	firsts = grow(views->event_fields, views->event_count,
	              &views->event_room, sizeof(*firsts));
	if (!firsts)
		return false;
	views->event_fields = firsts;
	firsts[views->event_count] = views->field_count;
	fill_event(&events[views->event_count++], item, span_id, trace);
	return true;
}

static void add_event(struct gt__views *views, const struct gt__names *names,
                      const struct gt__item *item, const uint8_t *body,
                      uint64_t span_id, const struct gt__trace *trace)
{
	enum gt_status status = views->status;
	struct gt_text status_text = views->status_text;
	size_t link_count = views->link_count;
	struct gt_event_view *event;

	if (!begin_event(views, item, span_id, trace)) {
		gt__views_miss_event(views);
		return;
	}
	add_values(views, names, item->site, body, item->body_bytes);
	event = &views->events[views->event_count - 1];
	event->field_count = views->field_count -
	                     views->event_fields[views->event_count - 1];
	/* An event has neither status nor links. */
	views->status = status;
	views->status_text = status_text;
	views->link_count = link_count;
}

/* What an opening has said of its trace is told by that. */
static void drop_said(struct gt__views *views, unsigned said)
{
	size_t kept = 0;

	for (size_t i = 0; i < views->field_count; i++)
		if (!(gt__saying_of(views->fields[i].key,
		                    views->fields[i].type) &
		      said))
			views->fields[kept++] = views->fields[i];
	views->field_count = kept;
}

/* Two passes over the items: the span's own fields, then its events. */
static void add_items(struct gt__views *views, const struct gt__names *names,
                      const struct gt__open_span *span, uint64_t span_id,
                      bool events)
{
	const uint8_t *at =
		gt__open_table_items(span, &views->items, &views->items_bytes);
	const uint8_t *end = at ? at + span->item_bytes : NULL;
	struct gt__item item;

	if (!at && span->item_bytes > 0 && events)
		gt__views_miss_event(views);
	if (!at && span->item_bytes > 0 && !events)
		gt__views_miss_field(views);
	for (; at < end; at += sizeof(item) + item.body_bytes) {
		memcpy(&item, at, sizeof(item));
		if ((item.site->kind == GT_SITE_EVENT) != events)
			continue;
		if (events)
			add_event(views, names, &item, at + sizeof(item),
			          span_id, span->trace);
		else
			add_values(views, names, item.site, at + sizeof(item),
			           item.body_bytes);
		if (span->said && item.sequence == span->sequence)
			drop_said(views, span->said);
	}
}

static void fill_span(struct gt_span_view *view, const struct gt__names *names,
                      const struct gt__open_span *span)
{
	bool remote = span->parent_remote;

	view->id = gt__exported(names, span->id);
	view->guest_id = span->id;
	view->guest_parent_id = remote ? 0 : span->parent;
	view->parent_id =
		remote ? span->parent : gt__exported(names, span->parent);
	view->start_ns = view->end_ns = span->start_ns;
	view->sequence = span->sequence;
	view->site = &span->site->view;
	view->dropped_events = span->dropped_events;
	view->dropped_fields = span->dropped_fields;
	view->vcpu = view->close_vcpu = span->vcpu;
	view->level = span->level;
	view->flags = span->flags;
	view->entered = span->scoped;
	view->parent_remote = remote;
	view->trace = gt__trace_shown(span->trace);
}

/* From a part of another trace to the run, and to what had it begin. */
static void add_trace_links(struct gt__views *views,
                            const struct gt__names *names,
                            const struct gt__trace *trace)
{
	add_run_link(views, names);
	if (trace->caused)
		add_link(views, &trace->cause);
}

struct gt_span_view *gt__view_span(struct gt__views *views,
                                   const struct gt__names *names,
                                   const struct gt__open_span *span)
{
	struct gt_span_view *view = &views->span;

	reset(views);
	fill_span(view, names, span);
	if (span->begins)
		add_trace_links(views, names, span->trace);
	add_items(views, names, span, view->id, false);
	view->field_count = views->field_count;
	if (span->has_events)
		add_items(views, names, span, view->id, true);
	/* Without any field there is no array to point into. */
	for (size_t i = 0; views->fields && i < views->event_count; i++)
		views->events[i].fields =
			views->fields + views->event_fields[i];
	view->fields = views->fields;
	view->events = views->events;
	view->event_count = views->event_count;
	view->dropped_fields += views->missing_fields;
	view->dropped_events += views->missing_events;
	view->links = views->links;
	view->link_count = views->link_count;
	view->status = views->status;
	view->status_text = views->status_text;
	return view;
}
