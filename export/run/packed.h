/* SPDX-License-Identifier: MIT */
/* Records as few bytes, for the process that made them. */
#ifndef GUESTTRACE_PACKED_H
#define GUESTTRACE_PACKED_H

#include <guesttrace/export.h>

enum gt__packed_kind {
	GT__PACKED_SPAN,
	GT__PACKED_EVENT,
	GT__PACKED_COUNTER,
};

struct gt__pack;

/* Records in the order in which they came; zeroed is a valid beginning. */
struct gt__packs {
	struct gt__pack *first, *last;
};

/* Sites and traces are kept as they are given. False: out of memory. */
bool gt__pack_span(struct gt__packs *packs, const struct gt_span_view *span);
bool gt__pack_event(struct gt__packs *packs, const struct gt_event_view *event,
                    bool counter);
void gt__packs_fini(struct gt__packs *packs);

/* The next one of a zeroed place; false: there is none. */
struct gt__packed {
	const struct gt__pack *pack;
	size_t at;
	enum gt__packed_kind kind;
	uint64_t id; /* of the span, or of that of the event */
	const unsigned char *bytes;
	struct gt_field *fields; /* room, for gt__packed_fini() */
	size_t field_room;
	struct gt_link *links;
	size_t link_room;
};
bool gt__packed_next(const struct gt__packs *packs, struct gt__packed *at);
/* What it is, until the next one is: without the events of a span. False: out
 * of memory. */
bool gt__packed_span(struct gt__packed *at, struct gt_span_view *ret_span);
bool gt__packed_event(struct gt__packed *at, struct gt_event_view *ret_event);
void gt__packed_fini(struct gt__packed *at);

#endif
