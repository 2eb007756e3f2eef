/* SPDX-License-Identifier: MIT */
/*
 * Memory for a run that goes on for long: what was kept since a mark may be
 * half of the bound. Then what is older than the mark goes, and the mark comes
 * here. Nothing behind it points before it: texts are in chunks of their own.
 */
#include "collect.h"
#include <errno.h>
#include <string.h>

/* One of each takes so much, with what building the tree adds. */
#define ITEM_BYTES sizeof(struct gt__item)
#define SPAN_BYTES (sizeof(struct gt__span) + ITEM_BYTES + 4 * sizeof(uint32_t))

static size_t bytes_of(const struct gt__collect *c)
{
	return c->chunk_bytes + c->span_count * SPAN_BYTES +
	       c->event_count * (sizeof *c->events + ITEM_BYTES) +
	       c->host_span_count * (sizeof *c->host_spans + ITEM_BYTES) +
	       c->gap_count * (sizeof *c->gaps + ITEM_BYTES);
}

/* Without its first `gone` members of that size. */
static void shift(void *array, size_t member, uint32_t gone, uint32_t *count)
{
	char *from = array;

	*count -= gone;
	if (gone)
		memmove(from, from + gone * member, *count * member);
}

static void leave_out(struct gt__collect *c)
{
	const struct gt__collect_mark *mark = &c->mark;

	c->left_out_spans += mark->spans;
	c->left_out_events += mark->events;
	shift(c->spans, sizeof *c->spans, mark->spans, &c->span_count);
	shift(c->events, sizeof *c->events, mark->events, &c->event_count);
	shift(c->host_spans, sizeof *c->host_spans, mark->host_spans,
	      &c->host_span_count);
	shift(c->gaps, sizeof *c->gaps, mark->gaps, &c->gap_count);
	if (mark->chunk)
		gt__collect_free_chunks(c, mark->chunk);
}

int gt__collect_bound(struct gt__collect *c)
{
	struct gt__chunk *older = c->chunks;

	if (!c->max_bytes || bytes_of(c) - c->mark.bytes <= c->max_bytes / 2)
		return 0;
	if (!gt__collect_begin_chunk(c))
		return -ENOMEM;
	leave_out(c);
	gt__kept_keys_fini(&c->keys);
	c->last_trace = NULL;
	c->mark = (struct gt__collect_mark){
		.spans = c->span_count,
		.events = c->event_count,
		.host_spans = c->host_span_count,
		.gaps = c->gap_count,
		.chunk = older,
		.bytes = bytes_of(c),
	};
	return 0;
}
