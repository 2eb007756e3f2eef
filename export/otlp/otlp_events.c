/* SPDX-License-Identifier: MIT */
/* Events, and the attributes that they are given as spans are. */
#include "otlp_inside.h"
#include <stdlib.h>
#include <string.h>

/* Cold, so that the place that was kept costs no room for a new one. */
__attribute__((cold, noinline)) static void
encode_anew(struct gt__otlp_sink *x, struct gt__otlp_last_place *last,
            enum gt__otlp_item item, const struct gt__otlp_place *place)
{
	struct gt_field host[GT__OTLP_PLACE_MAX];
	struct gt__out *to = &last->encoded;

	to->used = 0;
	x->encoding->more(to, item, host, gt__otlp_place(host, place));
	last->place = *place;
	if (to->error)
		x->out.error = to->error;
}

struct gt_text gt__otlp_encode_place(struct gt__otlp_sink *x,
                                     struct gt__otlp_last_place *last,
                                     enum gt__otlp_item item,
                                     const struct gt__otlp_place *place)
{
	if (!last->encoded.used ||
	    memcmp(&last->place, place, sizeof *place) != 0)
		encode_anew(x, last, item, place);
	return (struct gt_text){last->encoded.bytes, last->encoded.used};
}

struct gt_field *gt__otlp_make_unique(struct gt__otlp_sink *x,
                                      struct gt__otlp_attributes *attributes)
{
	struct gt_field *list = NULL;
	size_t from = 0;
	int rc;

	if (attributes->guest_count <= GT__OTLP_UNIQUE_MAX)
		return NULL;
	rc = gt__otlp_last_of_each(attributes->guest, attributes->guest_count,
	                           &list, &from);
	if (rc) {
		x->out.error = rc;
		return NULL;
	}
	attributes->guest = list + from;
	attributes->guest_count -= from;
	return list;
}

struct gt_field *gt__otlp_event_attributes(struct gt__otlp_sink *x,
                                           struct gt__otlp_run *run,
                                           enum gt__otlp_item item,
                                           const struct gt_event_view *e,
                                           struct gt__otlp_attributes *to)
{
	struct gt__otlp_place place = {e->vcpu, e->vcpu, e->level, e->flags};

	*to = (struct gt__otlp_attributes){.guest = e->fields,
	                                   .guest_count = e->field_count};
	to->opening =
		gt__otlp_opening(&run->event_sites, x->encoding, item, e->site);
	to->place = gt__otlp_encode_place(x, &x->event_place, item, &place);
	if (run->event_sites.error)
		x->out.error = run->event_sites.error;
	return gt__otlp_make_unique(x, to);
}

void gt__otlp_put_event(struct gt__otlp_sink *x, struct gt__otlp_run *run,
                        struct gt__out *to, const struct gt_event_view *e,
                        bool names_span, bool first)
{
	struct gt__otlp_event event = {.time_ns = e->time_ns};
	struct gt_field span_id[GT__OTLP_SPAN_ID_MAX], *list;
	char hex[GT__OTLP_SPAN_ID_HEX];

	list = gt__otlp_event_attributes(x, run, GT__OTLP_EVENT, e,
	                                 &event.attributes);
	if (x->is_limited)
		gt__otlp_limit_event(x, &event.attributes);
	if (names_span && e->span_id) {
		event.attributes.last_count =
			gt__otlp_span_id(span_id, e->span_id, e->trace, hex);
		event.attributes.last = span_id;
	}
	x->encoding->event(to, &event, first);
	free(list);
}

/* ---- How many fit -------------------------------------------------------- */

#define EVENT_WEIGHT 512u /* of time, name, place and site */
#define FIELD_WEIGHT 64u

/* As many bytes as JSON needs for it, at most. */
static uint64_t text_weight(struct gt_text text)
{
	uint64_t weight = text.count;
	size_t i;

	for (i = 0; i < text.count; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];

		weight += byte < ' ' ? 5 : byte == '"' || byte == '\\';
	}
	return weight;
}

static bool has_text(const struct gt_field *field)
{
	return field->type == GT_TYPE_STRING || field->type == GT_TYPE_BYTES;
}

uint64_t gt__otlp_weight(const struct gt_event_view *event)
{
	uint64_t weight = EVENT_WEIGHT;
	size_t i;

	for (i = 0; i < event->field_count; i++) {
		const struct gt_field *field = &event->fields[i];

		weight += FIELD_WEIGHT + text_weight(field->key);
		if (has_text(field))
			weight += text_weight(field->value.text);
	}
	return weight;
}

size_t gt__otlp_fitting(const struct gt_event_view *events, size_t count)
{
	uint64_t weight = 0;
	size_t i;

	for (i = 0; i < count && i < GT__OTLP_EVENTS_MAX; i++) {
		weight += gt__otlp_weight(&events[i]);
		if (i && weight > GT__OTLP_EVENTS_WEIGHT)
			break;
	}
	return i;
}

void gt__otlp_loss_attributes(struct gt__otlp_sink *x, enum gt__otlp_item item,
                              const struct gt_loss_view *loss,
                              struct gt__otlp_attributes *to)
{
	const struct gt__otlp_place place = {.vcpu = loss->vcpu,
	                                     .close_vcpu = loss->vcpu};
	struct gt_field host[GT__OTLP_LOSS_MAX];
	struct gt__out *opening = &x->scratch;

	opening->used = 0;
	x->encoding->open(opening, item, (struct gt_text){"LOST", 4}, host,
	                  gt__otlp_loss(host, loss));
	if (opening->error)
		x->out.error = opening->error;
	*to = (struct gt__otlp_attributes){
		.opening = {opening->bytes, opening->used},
		.place =
			gt__otlp_encode_place(x, &x->event_place, item, &place),
	};
}

void gt__otlp_put_loss(struct gt__otlp_sink *x, struct gt__out *to,
                       const struct gt_loss_view *loss, bool first)
{
	struct gt__otlp_event event = {.time_ns = loss->to_ns};
	struct gt_field span_id[GT__OTLP_SPAN_ID_MAX];
	char hex[GT__OTLP_SPAN_ID_HEX];

	gt__otlp_loss_attributes(x, GT__OTLP_EVENT, loss, &event.attributes);
	if (loss->span_id) {
		event.attributes.last_count =
			gt__otlp_span_id(span_id, loss->span_id, NULL, hex);
		event.attributes.last = span_id;
	}
	x->encoding->event(to, &event, first);
}
