/* SPDX-License-Identifier: MIT */
/* Who asked whom: a span's kind, which a guest says by a field `otel.kind`. */
#include "otlp_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_kind(const struct gt_field *field)
{
	return field->key.count == sizeof GT__OTLP_KIND - 1 &&
	       !memcmp(field->key.bytes, GT__OTLP_KIND,
	               sizeof GT__OTLP_KIND - 1);
}

/* SpanKind of trace.proto, 0 for any other word. */
static uint32_t kind_of(const struct gt_field *field)
{
	static const char *const words[] = {"internal", "server", "client",
	                                    "producer", "consumer"};
	struct gt_text text = field->value.text;
	uint32_t i;

	if (field->type != GT_TYPE_STRING)
		return 0;
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (text.count == strlen(words[i]) &&
		    !strncasecmp(text.bytes, words[i], text.count))
			return i + 1;
	return 0;
}

uint32_t gt__otlp_kind(const struct gt_field *fields, size_t count)
{
	uint32_t kind = 0;

	while (count-- && !kind)
		if (is_kind(&fields[count])) {
			kind = kind_of(&fields[count]);
			break;
		}
	return kind ? kind : GT__OTLP_INTERNAL;
}

/* The attributes without those that have told the kind. */
static void leave_out(struct gt__otlp_sink *x,
                      struct gt__otlp_attributes *attributes)
{
	size_t i, n = 0;

	if (gt__otlp_fields_room(&x->fields, attributes->guest_count) < 0) {
		x->out.error = -ENOMEM;
		return;
	}
	for (i = 0; i < attributes->guest_count; i++)
		if (!is_kind(&attributes->guest[i]))
			x->fields.at[n++] = attributes->guest[i];
	attributes->guest = x->fields.at;
	attributes->guest_count = n;
}

uint32_t gt__otlp_find_kind(struct gt__otlp_sink *x,
                            struct gt__otlp_attributes *attributes)
{
	const struct gt_field *fields = attributes->guest;
	size_t i;

	for (i = attributes->guest_count; i--;) {
		uint32_t kind;

		if (!is_kind(&fields[i]))
			continue;
		kind = kind_of(&fields[i]);
		if (kind)
			leave_out(x, attributes);
		return kind ? kind : GT__OTLP_INTERNAL;
	}
	return GT__OTLP_INTERNAL;
}
