/* SPDX-License-Identifier: MIT */
/*
 * One input of the fuzz targets for Hyperlight batches: decoded, every text
 * that is shown is read, and what the result says is held against what was
 * shown.
 */
#ifndef GT_FUZZ_HYPERLIGHT_INPUT_H
#define GT_FUZZ_HYPERLIGHT_INPUT_H

#include "host/decode/utf8.h"

#include <guesttrace/host.h>
#include <stdlib.h>

struct shown {
	uint64_t events;
	uint64_t output_bytes;
	uint64_t sum; /* of all bytes: makes the reads happen */
};

static uint64_t read_text(struct shown *shown, struct gt_text text)
{
	if (!gt__utf8_is_valid((const uint8_t *)text.bytes, text.count))
		abort();
	for (size_t i = 0; i < text.count; i++)
		shown->sum += (uint8_t)text.bytes[i];
	return text.count;
}

static int show(void *context, const struct gt_hyperlight_event *event)
{
	struct shown *shown = context;

	shown->events++;
	shown->sum += event->id ^ event->parent ^ event->tsc;
	shown->output_bytes += 32 + read_text(shown, event->name) +
	                       read_text(shown, event->target);
	for (uint32_t i = 0; i < event->field_count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		shown->output_bytes += 16 + read_text(shown, field.key) +
		                       read_text(shown, field.value);
	}
	return 0;
}

static void decode_input(enum gt_wire wire, const uint8_t *bytes, size_t count)
{
	struct gt_hyperlight_result result;
	struct shown shown = {0};
	uint64_t errors = 0;
	volatile uint64_t sum;
	int r = gt_hyperlight_decode(wire, bytes, count, NULL, show, &shown,
	                             &result);

	sum = shown.sum;
	(void)sum;
	for (size_t i = 0; i < GT_HYPERLIGHT_ERRORS; i++)
		errors += result.errors[i];
	if (r != result.first_error || (r != 0) != (errors > 0) ||
	    shown.events != result.events ||
	    shown.output_bytes != result.output_bytes ||
	    shown.output_bytes > 16 * count || result.visits > count)
		abort();
}

#endif
