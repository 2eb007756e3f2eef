/* SPDX-License-Identifier: MIT */
/*
 * Batches of Hyperlight's guest tracing -> events. An event is read and checked
 * to its last string before it is shown; what its fields say is read a second
 * time, unchecked, when the one it is shown to asks for them.
 */
#include "hyperlight.h"
#include "flatbuffer.h"

#include <errno.h>

#define EVENT_BYTES  32u
#define FIELD_BYTES  16u
#define PREFIX_BYTES 4u

struct decoder {
	struct gt__flatbuffer buffer; /* 0.12: of one event */
	size_t base;                  /* where it begins in the batch */
	unsigned last_kind;           /* that the wire knows */
	uint32_t string_bytes;
	uint64_t output_left;
	uint64_t output_bytes; /* of the event being read */
	uint64_t strings_cut;
	int (*show)(void *context, const struct gt_hyperlight_event *event);
	void *context;
	int shown; /* what `show` returned last */
	struct gt_hyperlight_result *result;
};

/* ---- One event ---- */

/* Where a text of more than `limit` bytes may be cut: it is valid UTF-8, and so
 * it does not begin within a character. */
static size_t cut_at(const char *bytes, size_t limit)
{
	while (((uint8_t)bytes[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

static struct gt_text cut(struct gt_text text, uint32_t limit)
{
	if (text.count > limit)
		text.count = cut_at(text.bytes, limit);
	return text;
}

static bool charge(struct decoder *decoder, uint64_t bytes)
{
	if (decoder->output_left < bytes)
		return gt__refuse(&decoder->buffer, GT_ERROR_OVER_OUTPUT, 0);
	decoder->output_left -= bytes;
	decoder->output_bytes += bytes;
	return true;
}

static bool read_text(struct decoder *decoder, const struct gt__table *table,
                      enum gt__slot slot, enum gt_error missing,
                      struct gt_text *ret_text)
{
	struct gt_text text;

	if (!gt__field_string(&decoder->buffer, table, slot, missing, &text))
		return false;
	decoder->strings_cut += text.count > decoder->string_bytes;
	*ret_text = cut(text, decoder->string_bytes);
	return charge(decoder, ret_text->count);
}

static bool read_field(struct decoder *decoder, uint32_t from)
{
	struct gt__table table;
	struct gt_text text;
	uint32_t at;

	return gt__offset_follow(&decoder->buffer, from, &at) &&
	       gt__table_read(&decoder->buffer, at, &table) &&
	       charge(decoder, FIELD_BYTES) &&
	       read_text(decoder, &table, GT__FIELD_KEY, GT_ERROR_NO_KEY,
	                 &text) &&
	       read_text(decoder, &table, GT__FIELD_VALUE, GT_ERROR_NO_VALUE,
	                 &text);
}

static bool read_fields(struct decoder *decoder, const struct gt__table *table,
                        enum gt__slot slot, struct gt_hyperlight_event *event)
{
	struct gt__vector vector;

	if (!gt__field_vector(&decoder->buffer, table, slot, &vector))
		return false;
	for (uint32_t i = 0; i < vector.count; i++)
		if (!read_field(decoder, vector.at + 4 * i))
			return false;
	event->field_count = vector.count;
	event->fields_ = decoder->buffer.bytes + vector.at;
	return true;
}

static bool read_open(struct decoder *decoder, const struct gt__table *table,
                      struct gt_hyperlight_event *event)
{
	struct gt__flatbuffer *buffer = &decoder->buffer;

	return gt__field_u64(buffer, table, GT__OPEN_ID, &event->id, NULL) &&
	       gt__field_u64(buffer, table, GT__OPEN_PARENT, &event->parent,
	                     &event->has_parent) &&
	       gt__field_u64(buffer, table, GT__OPEN_TSC, &event->tsc, NULL) &&
	       read_text(decoder, table, GT__OPEN_NAME, GT_ERROR_NO_NAME,
	                 &event->name) &&
	       read_text(decoder, table, GT__OPEN_TARGET, GT_ERROR_NO_TARGET,
	                 &event->target) &&
	       read_fields(decoder, table, GT__OPEN_FIELDS, event);
}

static bool read_log(struct decoder *decoder, const struct gt__table *table,
                     struct gt_hyperlight_event *event)
{
	struct gt__flatbuffer *buffer = &decoder->buffer;

	return gt__field_u64(buffer, table, GT__LOG_PARENT_ID, &event->parent,
	                     NULL) &&
	       gt__field_u64(buffer, table, GT__LOG_TSC, &event->tsc, NULL) &&
	       read_text(decoder, table, GT__LOG_NAME, GT_ERROR_NO_NAME,
	                 &event->name) &&
	       read_fields(decoder, table, GT__LOG_FIELDS, event);
}

static bool read_kind(struct decoder *decoder, const struct gt__table *table,
                      struct gt_hyperlight_event *event)
{
	struct gt__flatbuffer *buffer = &decoder->buffer;

	switch (event->kind) {
	case GT_HYPERLIGHT_OPEN:
		return read_open(decoder, table, event);
	case GT_HYPERLIGHT_CLOSE:
		return gt__field_u64(buffer, table, GT__CLOSE_ID, &event->id,
		                     NULL) &&
		       gt__field_u64(buffer, table, GT__CLOSE_TSC, &event->tsc,
		                     NULL);
	case GT_HYPERLIGHT_LOG:
		return read_log(decoder, table, event);
	case GT_HYPERLIGHT_EDIT:
		return gt__field_u64(buffer, table, GT__EDIT_ID, &event->id,
		                     NULL) &&
		       read_fields(decoder, table, GT__EDIT_FIELDS, event);
	default: /* GT_HYPERLIGHT_START: others are sorted out before */
		return gt__field_u64(buffer, table, GT__START_TSC, &event->tsc,
		                     NULL);
	}
}

/* The union: `ret_kind` is what the buffer says, `ret_at` where the event is.
 */
static bool read_envelope(struct gt__flatbuffer *buffer,
                          const struct gt__table *envelope, unsigned *ret_kind,
                          uint32_t *ret_at)
{
	uint32_t type_at, event_at;

	if (!gt__field_find(buffer, envelope, GT__ENVELOPE_TYPE, 1, &type_at) ||
	    !gt__field_find(buffer, envelope, GT__ENVELOPE_EVENT, 4, &event_at))
		return false;
	*ret_kind = type_at ? buffer->bytes[type_at] : 0;
	*ret_at = event_at;
	if (*ret_kind == 0)
		return gt__refuse(buffer,
		                  event_at ? GT_ERROR_EVENT_ALONE
		                           : GT_ERROR_NO_EVENT,
		                  envelope->at);
	if (event_at == 0)
		return gt__refuse(buffer, GT_ERROR_TYPE_ALONE, envelope->at);
	return true;
}

/* Skips an unknown kind: there is nothing that could be checked. */
static bool read_event(struct decoder *decoder,
                       const struct gt__table *envelope,
                       struct gt_hyperlight_event *event, bool *ret_is_known)
{
	struct gt__table table;
	unsigned kind;
	uint32_t at;

	if (!read_envelope(&decoder->buffer, envelope, &kind, &at))
		return false;
	*ret_is_known = kind <= decoder->last_kind;
	if (!*ret_is_known)
		return true;
	event->kind = (enum gt_hyperlight_kind)kind;
	return gt__offset_follow(&decoder->buffer, at, &at) &&
	       gt__table_read(&decoder->buffer, at, &table) &&
	       charge(decoder, EVENT_BYTES) &&
	       read_kind(decoder, &table, event);
}

/* ---- What becomes of it: these return whether the batch goes on ---- */

/* Always false. */
static bool count_error(struct decoder *decoder)
{
	struct gt_hyperlight_result *result = decoder->result;

	result->errors[-decoder->buffer.error - GT_ERROR_BATCH_TOO_LONG]++;
	if (result->first_error == 0) {
		result->first_error = decoder->buffer.error;
		result->first_error_at =
			decoder->base + decoder->buffer.error_at;
	}
	return false;
}

/* A limit ends the batch; anything else ends this event alone. */
static bool refuse_event(struct decoder *decoder)
{
	count_error(decoder);
	decoder->result->refused++;
	return decoder->buffer.error != -GT_ERROR_OVER_VISITS &&
	       decoder->buffer.error != -GT_ERROR_OVER_OUTPUT;
}

static bool show_event(struct decoder *decoder,
                       struct gt_hyperlight_event *event)
{
	struct gt_hyperlight_result *result = decoder->result;

	event->cut = decoder->strings_cut > 0;
	event->string_bytes_ = decoder->string_bytes;
	result->events++;
	result->strings_cut += decoder->strings_cut;
	result->output_bytes += decoder->output_bytes;
	decoder->shown = decoder->show(decoder->context, event);
	return decoder->shown == 0;
}

static bool take_envelope(struct decoder *decoder,
                          const struct gt__table *envelope)
{
	struct gt_hyperlight_event event = {.fields_ = NULL};
	bool is_known;

	decoder->output_bytes = 0;
	decoder->strings_cut = 0;
	if (!read_event(decoder, envelope, &event, &is_known))
		return refuse_event(decoder);
	if (is_known)
		return show_event(decoder, &event);
	decoder->result->unknown++;
	return true;
}

/* ---- 0.11: one buffer, its root is the batch ---- */

static bool take_element(struct decoder *decoder, uint32_t from)
{
	struct gt__table envelope;
	uint32_t at;

	if (!gt__offset_follow(&decoder->buffer, from, &at) ||
	    !gt__table_read(&decoder->buffer, at, &envelope))
		return refuse_event(decoder);
	return take_envelope(decoder, &envelope);
}

static bool take_start(struct decoder *decoder, const struct gt__table *root)
{
	struct gt_hyperlight_event start = {.kind = GT_HYPERLIGHT_START};

	if (!gt__field_u64(&decoder->buffer, root, GT__BATCH_START_TSC,
	                   &start.tsc, NULL) ||
	    !charge(decoder, EVENT_BYTES))
		return count_error(decoder);
	return show_event(decoder, &start);
}

static void look_at_prefix(struct decoder *decoder)
{
	struct gt_hyperlight_result *result = decoder->result;
	uint32_t behind = decoder->buffer.count - PREFIX_BYTES;
	uint32_t prefix = gt__load32(decoder->buffer.bytes);

	result->wrong_prefixes = prefix != behind;
	result->trailing_bytes = prefix < behind ? behind - prefix : 0;
}

static void decode_0_11(struct decoder *decoder)
{
	struct gt__vector events;
	struct gt__table root;

	if (!gt__root_read(&decoder->buffer, &root)) {
		count_error(decoder);
		return;
	}
	look_at_prefix(decoder);
	if (!take_start(decoder, &root))
		return;
	if (!gt__field_vector(&decoder->buffer, &root, GT__BATCH_EVENTS,
	                      &events)) {
		count_error(decoder);
		return;
	}
	for (uint32_t i = 0; i < events.count; i++)
		if (!take_element(decoder, events.at + 4 * i))
			return;
}

/* ---- 0.12: a run of buffers, the root of each is one event ---- */

static bool take_buffer(struct decoder *decoder, uint32_t left)
{
	uint32_t prefix = gt__load32(decoder->buffer.bytes);
	struct gt__table envelope;

	if (prefix > left - PREFIX_BYTES) {
		gt__refuse(&decoder->buffer, GT_ERROR_PREFIX_OUTSIDE, 0);
		return count_error(decoder);
	}
	decoder->buffer.count = PREFIX_BYTES + prefix;
	if (!gt__root_read(&decoder->buffer, &envelope))
		return refuse_event(decoder);
	return take_envelope(decoder, &envelope);
}

static void decode_0_12(struct decoder *decoder)
{
	uint32_t left = decoder->buffer.count;

	while (left >= PREFIX_BYTES) {
		if (!take_buffer(decoder, left))
			return;
		decoder->buffer.bytes += decoder->buffer.count;
		decoder->base += decoder->buffer.count;
		left -= decoder->buffer.count;
	}
	decoder->result->trailing_bytes = left;
}

/* ---- Public ---- */

/* 0 and NULL are the defaults. */
static bool read_limits(const struct gt_hyperlight_limits *from, size_t count,
                        struct gt_hyperlight_limits *ret_limits)
{
	struct gt_hyperlight_limits limits = {0};

	if (from && from->size != sizeof(*from))
		return false;
	if (from)
		limits = *from;
	if (limits.batch_bytes == 0)
		limits.batch_bytes = GT_HYPERLIGHT_BATCH_BYTES;
	if (limits.batch_bytes > INT32_MAX)
		return false;
	if (limits.visits == 0)
		limits.visits = count;
	if (limits.output_bytes == 0)
		limits.output_bytes = (uint64_t)16 * count;
	if (limits.string_bytes == 0 || limits.string_bytes > INT32_MAX)
		limits.string_bytes = INT32_MAX;
	*ret_limits = limits;
	return true;
}

static int decode(struct decoder *decoder, enum gt_wire wire)
{
	uint64_t visits = decoder->buffer.visits_left;

	if (wire == GT_WIRE_HYPERLIGHT_0_11) {
		decoder->last_kind = GT_HYPERLIGHT_LOG;
		decode_0_11(decoder);
	} else {
		decoder->last_kind = GT_HYPERLIGHT_START;
		decode_0_12(decoder);
	}
	decoder->result->visits = visits - decoder->buffer.visits_left;
	return decoder->shown ? decoder->shown : decoder->result->first_error;
}

int gt_hyperlight_decode(enum gt_wire wire, const void *bytes, size_t count,
                         const struct gt_hyperlight_limits *limits,
                         int (*show)(void *context,
                                     const struct gt_hyperlight_event *event),
                         void *context, struct gt_hyperlight_result *ret_result)
{
	struct gt_hyperlight_result unwanted;
	struct gt_hyperlight_limits limit;
	struct decoder decoder = {
		.show = show,
		.context = context,
		.result = ret_result ? ret_result : &unwanted,
	};

	*decoder.result = (struct gt_hyperlight_result){0};
	if (!read_limits(limits, count, &limit) ||
	    (wire != GT_WIRE_HYPERLIGHT_0_11 &&
	     wire != GT_WIRE_HYPERLIGHT_0_12))
		return -EINVAL;
	if (count > limit.batch_bytes) {
		gt__refuse(&decoder.buffer, GT_ERROR_BATCH_TOO_LONG, 0);
		count_error(&decoder);
		return decoder.buffer.error;
	}
	decoder.buffer.bytes = bytes;
	decoder.buffer.count = (uint32_t)count;
	decoder.buffer.visits_left = limit.visits;
	decoder.output_left = limit.output_bytes;
	decoder.string_bytes = (uint32_t)limit.string_bytes;
	return decode(&decoder, wire);
}

/* The string of a table that has been checked. */
static struct gt_text checked_text(const uint8_t *table, enum gt__slot slot)
{
	const uint8_t *vtable = table - (int32_t)gt__load32(table);
	const uint8_t *from = table + gt__load16(vtable + slot);
	const uint8_t *string = from + gt__load32(from);

	return (struct gt_text){(const char *)string + 4, gt__load32(string)};
}

struct gt_hyperlight_field
gt_hyperlight_field(const struct gt_hyperlight_event *event, uint32_t index)
{
	const uint8_t *from = event->fields_ + (size_t)4 * index;
	const uint8_t *table;

	if (index >= event->field_count)
		return (struct gt_hyperlight_field){{"", 0}, {"", 0}};
	table = from + gt__load32(from);
	return (struct gt_hyperlight_field){
		cut(checked_text(table, GT__FIELD_KEY), event->string_bytes_),
		cut(checked_text(table, GT__FIELD_VALUE), event->string_bytes_),
	};
}
