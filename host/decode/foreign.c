/* SPDX-License-Identifier: MIT */
#include "foreign.h"
#include "bytes.h"

#include <stdlib.h>

/* A pair: bytes of the key, bytes of the value, both, padded to 8. */
#define PAIR_HEAD 8u

void gt__foreign_init(struct gt__foreign *foreign, size_t name_bytes_max)
{
	*foreign = (struct gt__foreign){.body_room = 0};
	gt__interned_init(&foreign->interned, name_bytes_max);
}

void gt__foreign_fini(struct gt__foreign *foreign)
{
	gt__interned_fini(&foreign->interned);
	free(foreign->body);
	foreign->body = NULL;
	foreign->body_room = 0;
}

static size_t pair_bytes(struct gt_text key, struct gt_text value)
{
	return (PAIR_HEAD + key.count + value.count + 7) & ~(size_t)7;
}

size_t gt__pair_read(const uint8_t *body, size_t count, struct gt_text *ret_key,
                     struct gt_text *ret_value)
{
	const char *texts = (const char *)body + PAIR_HEAD;
	size_t bytes;

	if (count < PAIR_HEAD)
		return 0;
	*ret_key = (struct gt_text){texts, gt__load32(body)};
	*ret_value =
		(struct gt_text){texts + ret_key->count, gt__load32(body + 4)};
	bytes = pair_bytes(*ret_key, *ret_value);
	return bytes <= count ? bytes : 0;
}

static bool add_pair(struct gt__foreign *foreign, size_t *used,
                     struct gt_text key, struct gt_text value)
{
	size_t bytes = pair_bytes(key, value);
	uint8_t *at;

	if (bytes > foreign->body_room - *used) {
		size_t room = 2 * (*used + bytes);
		uint8_t *grown = realloc(foreign->body, room);

		if (!grown)
			return false;
		foreign->body = grown;
		foreign->body_room = room;
	}
	at = foreign->body + *used;
	memset(at + bytes - 8, 0, 8); /* the padding */
	gt__store32(at, (uint32_t)key.count);
	gt__store32(at + 4, (uint32_t)value.count);
	if (key.count)
		memcpy(at + PAIR_HEAD, key.bytes, key.count);
	if (value.count)
		memcpy(at + PAIR_HEAD + key.count, value.bytes, value.count);
	*used += bytes;
	return true;
}

/*
 * Our guest's word for "something of this was cut", a last field of its own:
 * a flag of the record, as on the native wire, and not a field of the guest's.
 */
static bool is_marked_cut(const struct gt_hyperlight_event *event)
{
	static const char mark[] = "guesttrace.cut";
	struct gt_hyperlight_field last;

	if (event->field_count == 0)
		return false;
	last = gt_hyperlight_field(event, event->field_count - 1);
	return last.key.count == sizeof(mark) - 1 &&
	       memcmp(last.key.bytes, mark, sizeof(mark) - 1) == 0;
}

static bool add_fields(struct gt__foreign *foreign,
                       const struct gt_hyperlight_event *event, uint32_t count,
                       bool crowded, size_t *ret_bytes)
{
	static const struct gt_text name_key = {"name", 4};

	*ret_bytes = 0;
	if (crowded && !add_pair(foreign, ret_bytes, name_key, event->name))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		if (!add_pair(foreign, ret_bytes, field.key, field.value))
			return false;
	}
	return true;
}

static void set_kind(const struct gt_hyperlight_event *event,
                     struct gt__record *record, enum gt_site_kind *ret_kind)
{
	record->kind = GT_RECORD_CLOSE;
	*ret_kind = GT_SITE_FIELDS;
	record->id = event->id;
	if (event->kind == GT_HYPERLIGHT_OPEN) {
		record->kind = GT_RECORD_SPAN;
		*ret_kind = GT_SITE_SPAN;
		record->parent = event->has_parent ? event->parent : 0;
	} else if (event->kind == GT_HYPERLIGHT_LOG) {
		record->kind = GT_RECORD_EVENT;
		*ret_kind = GT_SITE_EVENT;
		record->parent = event->parent;
	} else if (event->kind == GT_HYPERLIGHT_EDIT) {
		record->kind = GT_RECORD_FIELDS;
	}
}

bool gt__foreign_read(struct gt__foreign *foreign,
                      const struct gt_hyperlight_event *event,
                      struct gt_losses *losses,
                      struct gt__foreign_record *ret_record)
{
	struct gt__record record = {.tsc = event->tsc, .has_parent = true};
	enum gt_site_kind kind;
	bool crowded = false, marked = is_marked_cut(event);

	if (event->kind == GT_HYPERLIGHT_START)
		return false;
	if (event->kind == GT_HYPERLIGHT_OPEN && event->id == 0) {
		losses->bad_records++; /* 0 means "none" to all that name it */
		return false;
	}
	set_kind(event, &record, &kind);
	record.flags = event->cut || marked ? GT_RECORD_CUT : 0;
	losses->strings_cut += marked;
	if (record.kind != GT_RECORD_CLOSE) {
		record.site =
			gt__interned_site(&foreign->interned, kind,
		                          event->target, event->name, &crowded);
		if (!record.site ||
		    !add_fields(foreign, event, event->field_count - marked,
		                crowded, &record.body_bytes)) {
			losses->bad_records++; /* no memory */
			return false;
		}
		record.body = foreign->body;
		losses->crowded_names += crowded;
	}
	ret_record->record = record;
	ret_record->span_id = event->id;
	return true;
}
