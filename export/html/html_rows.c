/* SPDX-License-Identifier: MIT */
/* The rows of the page's JSON: sites, spans, blocks of spans, events. */
#include "html.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/words.h"
#include <string.h>

#define TEXT_BYTES 4096u /* of one value */

void gt__html_text(struct gt__out *o, struct gt_text text)
{
	gt__put_char(o, '"');
	while (text.count) {
		const char *less = memchr(text.bytes, '<', text.count);
		struct gt_text part = text;

		part.count = less ? (size_t)(less - text.bytes) : text.count;
		gt__put_json_inner(o, part);
		text.bytes += part.count;
		text.count -= part.count;
		if (!less)
			break;
		gt__put(o, "\\u003c");
		text.bytes++;
		text.count--;
	}
	gt__put_char(o, '"');
}

void gt__html_key(struct gt__out *o, const char *key)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":");
}

void gt__html_number(struct gt__out *o, const char *key, uint64_t value)
{
	gt__html_key(o, key);
	gt__put_u64(o, value);
}

void gt__html_column(struct gt__out *o, uint64_t value)
{
	gt__put_char(o, ',');
	gt__put_u64(o, value);
}

uint64_t gt__html_since(const struct gt__html_run *r, uint64_t time_ns)
{
	uint64_t start_ns = r->c->head.trace->start_ns;

	return time_ns > start_ns ? time_ns - start_ns : 0;
}

/* Cut between two code points. */
struct gt_text gt__html_shorten(struct gt_text text)
{
	if (text.count <= TEXT_BYTES)
		return text;
	text.count = TEXT_BYTES;
	while (text.count && (text.bytes[text.count] & 0xc0) == 0x80)
		text.count--;
	return text;
}

static void put_id(struct gt__out *o, uint64_t id)
{
	gt__put_char(o, '"');
	gt__put_hex(o, id, 16);
	gt__put_char(o, '"');
}

/* The number of a span's place; -1 where there is none. */
static void put_place(struct gt__out *o, uint32_t place)
{
	gt__put_char(o, ',');
	gt__put_i64(o, place == GT__ROOT ? -1 : (int64_t)place);
}

/* ---- Sites --------------------------------------------------------------- */

static void put_site(struct gt__out *o, const struct gt_site_view *site)
{
	gt__put_char(o, '[');
	gt__html_text(o, site->name);
	gt__put_char(o, ',');
	gt__html_text(o, site->target);
	gt__html_column(o, site->level);
	gt__put_char(o, ',');
	gt__html_text(o, site->file);
	gt__html_column(o, site->line);
	if (site->function.count) {
		gt__put_char(o, ',');
		gt__html_text(o, site->function);
	}
	gt__put_char(o, ']');
}

static void name_site(struct gt__html_run *r, const struct gt_site_view *site)
{
	uint32_t number;
	bool new = false;
	int rc = gt__intern(&r->sites, site, &number, &new);

	if (rc && !r->out->error)
		r->out->error = rc;
	if (!new)
		return;
	gt__put(r->out, number > 1 ? ",\n" : "\n");
	put_site(r->out, site);
	gt__out_record(r->out);
}

/* All that are used below, each once. */
void gt__html_sites(struct gt__html_run *r)
{
	uint32_t i;

	gt__html_key(r->out, "sites");
	gt__put_char(r->out, '[');
	for (i = 0; i < r->c->span_count; i++)
		if (r->excerpt.shown[i])
			name_site(r, r->c->spans[i].view.site);
	for (i = 0; i < r->c->event_count; i++)
		if (gt__html_shows_event(r, i))
			name_site(r, r->c->events[i].view.site);
	gt__put_char(r->out, ']');
}

/* Its number from 0; one beyond the interned ones is given in full. */
static void put_site_column(struct gt__html_run *r,
                            const struct gt_site_view *site)
{
	uint32_t number = 0;
	bool new;

	if (gt__intern(&r->sites, site, &number, &new) || !number)
		put_site(r->out, site);
	else
		gt__put_u64(r->out, number - 1);
}

/* ---- Spans and events ---------------------------------------------------- */

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	struct gt_field copy = *f;
	bool text = f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES;
	uint64_t whole = 0;

	if (text)
		whole = f->full_bytes > f->value.text.count
		                ? f->full_bytes
		                : f->value.text.count;
	if (f->type == GT_TYPE_STRING) {
		copy.value.text = gt__html_shorten(f->value.text);
		gt__html_text(o, copy.value.text);
	} else {
		if (f->type == GT_TYPE_BYTES &&
		    copy.value.text.count > TEXT_BYTES)
			copy.value.text.count = TEXT_BYTES;
		gt__put_json_value(o, &copy, true);
	}
	if (text && whole > copy.value.text.count)
		gt__html_column(o, whole);
}

static void put_fields(struct gt__out *o, const struct gt_field *fields,
                       size_t count)
{
	size_t i;

	gt__put_char(o, '[');
	for (i = 0; i < count; i++) {
		gt__put(o, i ? ",[" : "[");
		gt__html_text(o, fields[i].key);
		gt__put(o, ",\"");
		gt__put(o, gt__type_word(fields[i].type));
		gt__put(o, "\",");
		put_value(o, &fields[i]);
		gt__put_char(o, ']');
	}
	gt__put_char(o, ']');
}

static void put_links(struct gt__out *o, const struct gt_span_view *s)
{
	size_t i;

	gt__html_key(o, "links");
	gt__put_char(o, '[');
	for (i = 0; i < s->link_count; i++) {
		gt__put(o, i ? ",[\"" : "[\"");
		gt__put_hex_bytes(o, s->links[i].trace_id, 16);
		gt__put(o, "\",");
		put_id(o, s->links[i].span_id);
		gt__put_char(o, ',');
		gt__put_u64(o, s->links[i].flags);
		gt__put(o, s->links[i].remote ? ",true]" : ",false]");
	}
	gt__put_char(o, ']');
}

/* What most spans lack; its first member is there to need no comma. */
static void put_more(struct gt__out *o, const struct gt_span_view *s)
{
	gt__put(o, "{\"nesting\":");
	gt__put_u64(o, s->level);
	if (s->field_count) {
		gt__html_key(o, "fields");
		put_fields(o, s->fields, s->field_count);
	}
	if (s->link_count)
		put_links(o, s);
	if (s->status_text.count) {
		gt__html_key(o, "message");
		gt__html_text(o, gt__html_shorten(s->status_text));
	}
	if (s->dropped_events)
		gt__html_number(o, "dropped_events", s->dropped_events);
	if (s->dropped_fields)
		gt__html_number(o, "dropped_fields", s->dropped_fields);
	if (s->close_vcpu != s->vcpu)
		gt__html_number(o, "close_vcpu", s->close_vcpu);
	if (s->parent_remote) {
		gt__html_key(o, "remote_parent");
		put_id(o, s->parent_id);
	}
	if (s->trace) {
		gt__html_key(o, "trace");
		gt__put_char(o, '"');
		gt__put_hex_bytes(o, s->trace->trace_id, 16);
		gt__put_char(o, '"');
	}
	gt__put_char(o, '}');
}

/* Where its time went, by the columns of "parts"; 0: nothing is known. */
void gt__html_split(struct gt__html_run *r, const uint64_t *row)
{
	struct gt__out *o = r->out;
	uint32_t i;

	if (!r->c->host_span_count || !row) {
		gt__put_char(o, '0');
		return;
	}
	gt__put_char(o, '[');
	for (i = 0; i < r->c->timeline.columns; i++) {
		if (i)
			gt__put_char(o, ',');
		gt__put_u64(o, row[i]);
	}
	gt__put_char(o, ']');
}

static void put_span(struct gt__html_run *r, uint32_t index)
{
	const struct gt__span *span = &r->c->spans[index];
	const struct gt_span_view *s = &span->view;
	struct gt__out *o = r->out;

	gt__put_char(o, '[');
	put_site_column(r, s->site);
	put_place(o, span->parent == GT__ROOT ? GT__ROOT
	                                      : r->excerpt.place[span->parent]);
	gt__html_column(o, gt__html_since(r, s->start_ns));
	gt__html_column(o, s->end_ns - s->start_ns);
	gt__html_column(o, span->self_ns);
	gt__html_column(o, s->vcpu);
	gt__html_column(o, s->flags);
	gt__html_column(o, s->status);
	gt__put_char(o, ',');
	put_id(o, s->id);
	gt__put_char(o, ',');
	gt__html_split(r, span->split);
	if (s->level || s->field_count || s->link_count || s->dropped_events ||
	    s->dropped_fields || s->status_text.count ||
	    s->close_vcpu != s->vcpu || s->parent_remote || s->trace) {
		gt__put_char(o, ',');
		put_more(o, s);
	}
	gt__put_char(o, ']');
}

void gt__html_spans(struct gt__html_run *r)
{
	const char *comma = "\n";
	const struct gt__item *item;
	struct gt__walk walk = {0};

	gt__html_key(r->out, "spans");
	gt__put_char(r->out, '[');
	while ((item = gt__collect_next(r->c, &walk)) && !r->out->error) {
		if (item->kind != GT__SPAN_ITEM ||
		    !r->excerpt.shown[item->index])
			continue;
		gt__put(r->out, comma);
		put_span(r, item->index);
		gt__out_record(r->out);
		comma = ",\n";
	}
	gt__put_char(r->out, ']');
}

void gt__html_blocks(struct gt__html_run *r)
{
	struct gt__out *o = r->out;
	uint32_t i;

	gt__html_key(o, "blocks");
	gt__put_char(o, '[');
	for (i = 0; i < r->excerpt.block_count; i++) {
		const struct gt__block *b = &r->excerpt.blocks[i];

		gt__put(o, i ? ",\n[" : "\n[");
		gt__put_u64(o, b->count);
		put_place(o, b->parent);
		gt__html_column(o, gt__html_since(r, b->start_ns));
		gt__html_column(o, b->end_ns - b->start_ns);
		gt__html_column(o, b->self_ns);
		gt__html_column(o, b->vcpu);
		gt__put_char(o, ']');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
}

void gt__html_events(struct gt__html_run *r)
{
	struct gt__out *o = r->out;
	const char *comma = "\n[";
	uint32_t i;

	gt__html_key(o, "events");
	gt__put_char(o, '[');
	for (i = 0; i < r->c->event_count; i++) {
		const struct gt__event *event = &r->c->events[i];
		const struct gt_event_view *e = &event->view;

		if (!gt__html_shows_event(r, i))
			continue;
		gt__put(o, comma);
		comma = ",\n[";
		put_site_column(r, e->site);
		put_place(o, event->parent == GT__ROOT
		                     ? GT__ROOT
		                     : r->excerpt.place[event->parent]);
		gt__html_column(o, gt__html_since(r, e->time_ns));
		gt__html_column(o, e->vcpu);
		gt__html_column(o, e->flags);
		gt__html_column(o, event->counter);
		gt__put_char(o, ',');
		put_fields(o, e->fields, e->field_count);
		gt__put_char(o, ']');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
}
