/* SPDX-License-Identifier: MIT */
/* What OpenTelemetry's limits leave of a span's and an event's attributes. */
#include "otlp_inside.h"
#include <errno.h>
#include <guesttrace/utf8_sequence.h>
#include <stdlib.h>

bool gt__otlp_has_limits(const struct gt_otlp_limits *limits)
{
	return limits->links.is_set || limits->span_attributes.is_set ||
	       limits->event_attributes.is_set || limits->value_length.is_set;
}

/* How many are too many. */
static size_t excess(const struct gt_otlp_limit *limit, size_t count)
{
	return limit->is_set && count > limit->max ? count - limit->max : 0;
}

static uint32_t add(uint32_t dropped, size_t count)
{
	return count < UINT32_MAX - dropped ? dropped + (uint32_t)count
	                                    : UINT32_MAX;
}

/* As many bytes as have `max` code points; of what is none, one for U+FFFD. */
static size_t beginning(struct gt_text text, uint32_t max)
{
	const uint8_t *bytes = (const uint8_t *)text.bytes;
	size_t at = 0;

	if (text.count <= max)
		return text.count;
	while (max-- && at < text.count)
		at += (size_t)abs(
			gt__utf8_sequence(bytes + at, text.count - at));
	return at;
}

static void cut(struct gt_field *field, uint32_t max)
{
	struct gt_text *text = &field->value.text;

	if (field->type == GT_TYPE_STRING)
		text->count = beginning(*text, max);
	else if (field->type == GT_TYPE_BYTES && text->count > max)
		text->count = max;
}

/*
 * The first ones stay, as in OpenTelemetry's SDKs; of equal keys the last one
 * alone is one. The fields are the caller's: what stays is copied.
 */
static void limit_attributes(struct gt__otlp_sink *x,
                             const struct gt_otlp_limit *limit,
                             struct gt__otlp_attributes *a)
{
	const struct gt_otlp_limit *length = &x->options.limits.value_length;
	size_t i, count = 0, over;

	if (gt__otlp_fields_room(&x->cut, a->guest_count) < 0) {
		x->out.error = -ENOMEM;
		return;
	}
	for (i = 0; i < a->guest_count; i++)
		if (!gt__otlp_comes_again(a->guest, i, a->guest_count))
			x->cut.at[count++] = a->guest[i];
	over = excess(limit, count);
	count -= over;
	for (i = 0; i < count && length->is_set; i++)
		cut(&x->cut.at[i], length->max);
	a->guest = x->cut.at;
	a->guest_count = count;
	a->dropped = add(a->dropped, over);
}

void gt__otlp_limit_span(struct gt__otlp_sink *x, struct gt__otlp_span *span)
{
	const struct gt_otlp_limits *limits = &x->options.limits;
	size_t over = excess(&limits->links, span->link_count);

	span->link_count -= over;
	span->dropped_links = add(0, over);
	limit_attributes(x, &limits->span_attributes, &span->attributes);
}

void gt__otlp_limit_event(struct gt__otlp_sink *x,
                          struct gt__otlp_attributes *attributes)
{
	limit_attributes(x, &x->options.limits.event_attributes, attributes);
}
