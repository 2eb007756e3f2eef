/* SPDX-License-Identifier: MIT */
/*
 * What an event holds beside its name: annotations, which are the guest's
 * fields and what the exporter adds, and flows.
 */
#include "export/out/escape.h"
#include "perfetto_packets.h"
#include "export/out/protobuf.h"
#include "export/out/protobuf_raw.h"
#include "export/out/words.h"

/* track_event/debug_annotation.proto */
enum {
	NOTE_NAME_IID = 1,
	NOTE_BOOL = 2,
	NOTE_U64 = 3,
	NOTE_I64 = 4,
	NOTE_F64 = 5,
	NOTE_STRING = 6,
	NOTE_POINTER = 7,
	NOTE_NAME = 10,
	NOTE_STRING_IID = 17,
};

#define NUMBER_BYTES                                            \
	(4 * GT__RAW_BYTES) /* of a note with a number, at most \
	                     */
#define SHORT_BYTES 100u    /* of text in a note of < 128 */

static const char *const own_words[] = {[GT__PF_KEY_NONE] = "",
#define X(name, word) [GT__PF_KEY_##name] = #word,
                                        GT__PF_OWN_KEYS(X)
#undef X
};
_Static_assert(GT__PF_KEY_FLAGS + GT__FLAG_WORDS <= GT__PF_OWN_KEYS_COUNT,
               "the guest's keys have numbers of their own");

static void put_own_key(struct gt__out *o, unsigned number, const char *word)
{
	size_t entry = gt__pb_begin(o, GT__PF_INTERNED_KEYS), text;

	gt__pb_u64(o, GT__PF_INTERNED_IID, number);
	text = gt__pb_begin(o, GT__PF_INTERNED_TEXT);
	gt__put(o, "guesttrace.");
	gt__put(o, word);
	gt__pb_end(o, text);
	gt__pb_end(o, entry);
}

/* Interned, from 1. */
static unsigned level_number(enum gt_level level)
{
	return (unsigned)level + 1;
}

static void put_level_word(struct gt__out *o, enum gt_level level)
{
	size_t entry = gt__pb_begin(o, GT__PF_INTERNED_STRINGS), text;

	gt__pb_u64(o, GT__PF_INTERNED_IID, level_number(level));
	text = gt__pb_begin(o, GT__PF_INTERNED_TEXT);
	gt__put(o, gt__level_word(level));
	gt__pb_end(o, text);
	gt__pb_end(o, entry);
}

void gt__pf_put_own_keys(struct gt__out *o)
{
	unsigned i;

	for (i = 1; i < GT__PF_KEY_FLAGS; i++)
		put_own_key(o, i, own_words[i]);
	for (i = 0; i < GT__FLAG_WORDS; i++)
		put_own_key(o, GT__PF_KEY_FLAGS + i, gt__flag_words[i].word);
	for (i = GT_OFF; i <= GT_TRACE; i++)
		put_level_word(o, (enum gt_level)i);
}

uint8_t *gt__pf_raw_level(uint8_t *p, enum gt_level level)
{
	uint8_t *begun = p = gt__raw_begin_short(p, GT__PF_EVENT_ANNOTATIONS);

	p = gt__raw_u64(p, NOTE_NAME_IID, GT__PF_KEY_LEVEL);
	p = gt__raw_u64(p, NOTE_STRING_IID, level_number(level));
	gt__raw_end_short(begun, p);
	return p;
}

void gt__pf_put_level(struct gt__out *o, enum gt_level level)
{
	uint8_t *p = (uint8_t *)gt__out_room(o, GT__PF_LEVEL_BYTES);

	if (p)
		o->used =
			(size_t)((char *)gt__pf_raw_level(p, level) - o->bytes);
}

/* ---- The guest's fields -------------------------------------------------- */

/* The number of a key; 0: it has to be spelled. */
static int number_of(struct gt__pf_run *run, uint32_t site, size_t at,
                     struct gt_text key, uint32_t *ret_number)
{
	struct gt__pf_site *known = NULL;
	int rc;

	if (site && at < GT_SITE_FIELDS_MAX) {
		known = &run->site[site - 1];
		*ret_number = known->numbers[at];
		if (*ret_number && gt__same_text(known->keys[at], key))
			return 0;
	}
	rc = gt__keys_number(&run->keys, key, ret_number);
	if (!rc && known && *ret_number) {
		known->numbers[at] = *ret_number;
		known->keys[at] = run->keys.texts[*ret_number - 1];
	}
	return rc;
}

static void put_text_note(struct gt__out *o, uint32_t number,
                          struct gt_text key, const struct gt_field *f)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS), text;

	if (number) {
		gt__pb_u64(o, NOTE_NAME_IID, number);
	} else {
		text = gt__pb_begin(o, NOTE_NAME);
		if (gt__is_host_key(key))
			gt__put(o, GT__GUEST);
		gt__put_utf8(o, key);
		gt__pb_end(o, text);
	}
	text = gt__pb_begin(o, NOTE_STRING);
	if (f->type == GT_TYPE_STRING)
		gt__put_utf8(o, f->value.text);
	else /* the proto has no type for bytes: hex */
		gt__put_hex_bytes(o, f->value.text.bytes, f->value.text.count);
	gt__pb_end(o, text);
	gt__pb_end(o, note);
}

static uint8_t *raw_number(uint8_t *p, const struct gt_field *f)
{
	uint64_t word = 0;

	switch (f->type) {
	case GT_TYPE_U64:
		return gt__raw_u64(p, NOTE_U64, f->value.u64);
	case GT_TYPE_I64:
		return gt__raw_u64(p, NOTE_I64, (uint64_t)f->value.i64);
	case GT_TYPE_F64:
		memcpy(&word, &f->value.f64, sizeof word);
		return gt__raw_fixed64(p, NOTE_F64, word);
	case GT_TYPE_BOOL:
		return gt__raw_u64(p, NOTE_BOOL, f->value.boolean);
	case GT_TYPE_POINTER:
		return gt__raw_u64(p, NOTE_POINTER, f->value.u64);
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* no numbers, or never among a view's fields */
	}
	return p;
}

static void put_number_note(struct gt__out *o, uint32_t number,
                            const struct gt_field *f)
{
	uint8_t *begun, *p = (uint8_t *)gt__out_room(o, NUMBER_BYTES);

	if (!p)
		return;
	begun = p = gt__raw_begin_short(p, GT__PF_EVENT_ANNOTATIONS);
	p = gt__raw_u64(p, NOTE_NAME_IID, number);
	p = raw_number(p, f);
	gt__raw_end_short(begun, p);
	o->used = (size_t)((char *)p - o->bytes);
}

/* A number whose key is over the limits of keys.h. */
static void put_spelled_number(struct gt__out *o, const struct gt_field *f)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS);
	size_t name = gt__pb_begin(o, NOTE_NAME);
	uint8_t *p;

	if (gt__is_host_key(f->key))
		gt__put(o, GT__GUEST);
	gt__put_utf8(o, f->key);
	gt__pb_end(o, name);
	p = (uint8_t *)gt__out_room(o, NUMBER_BYTES);
	if (p)
		o->used = (size_t)((char *)raw_number(p, f) - o->bytes);
	gt__pb_end(o, note);
}

int gt__pf_put_fields(struct gt__out *o, struct gt__pf_run *run, uint32_t site,
                      const struct gt_field *fields, size_t from, size_t count)
{
	uint32_t number = 0;
	size_t i;
	int rc;

	for (i = from; i < count; i++) {
		const struct gt_field *f = &fields[i];

		rc = number_of(run, site, i, f->key, &number);
		if (rc)
			return rc;
		if (number)
			number += GT__PF_OWN_KEYS_COUNT;
		if (f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES)
			put_text_note(o, number, f->key, f);
		else if (number)
			put_number_note(o, number, f);
		else
			put_spelled_number(o, f);
	}
	return 0;
}

/* ---- The exporter's own -------------------------------------------------- */

static void put_own(struct gt__out *o, enum gt__pf_key key, unsigned field,
                    uint64_t value)
{
	uint8_t *begun, *p = (uint8_t *)gt__out_room(o, NUMBER_BYTES);

	if (!p)
		return;
	begun = p = gt__raw_begin_short(p, GT__PF_EVENT_ANNOTATIONS);
	p = gt__raw_u64(p, NOTE_NAME_IID, key);
	p = gt__raw_u64(p, field, value);
	gt__raw_end_short(begun, p);
	o->used = (size_t)((char *)p - o->bytes);
}

void gt__pf_put_own_bool(struct gt__out *o, enum gt__pf_key key)
{
	put_own(o, key, NOTE_BOOL, 1);
}

void gt__pf_put_own_u64(struct gt__out *o, enum gt__pf_key key, uint64_t value)
{
	put_own(o, key, NOTE_U64, value);
}

void gt__pf_put_own_id(struct gt__out *o, enum gt__pf_key key, uint64_t id)
{
	uint8_t *begun, *text, *p = (uint8_t *)gt__out_room(o, NUMBER_BYTES);

	if (!p)
		return;
	begun = p = gt__raw_begin_short(p, GT__PF_EVENT_ANNOTATIONS);
	p = gt__raw_u64(p, NOTE_NAME_IID, key);
	text = p = gt__raw_begin_short(p, NOTE_STRING);
	p = gt__raw_hex(p, id);
	gt__raw_end_short(text, p);
	gt__raw_end_short(begun, p);
	o->used = (size_t)((char *)p - o->bytes);
}

void gt__pf_put_trace(struct gt__out *o, const struct gt_span_trace *trace)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS), text;

	gt__pb_u64(o, NOTE_NAME_IID, GT__PF_KEY_TRACE_ID);
	text = gt__pb_begin(o, NOTE_STRING);
	gt__put_hex_bytes(o, trace->trace_id, 16);
	gt__pb_end(o, text);
	gt__pb_end(o, note);
}

static void put_own_text(struct gt__out *o, enum gt__pf_key key,
                         struct gt_text text)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS);

	gt__pb_u64(o, NOTE_NAME_IID, key);
	gt__pb_text(o, NOTE_STRING, text);
	gt__pb_end(o, note);
}

void gt__pf_put_own_word(struct gt__out *o, enum gt__pf_key key,
                         const char *word)
{
	put_own_text(o, key, (struct gt_text){word, strlen(word)});
}

void gt__pf_put_spelled_u64(struct gt__out *o, const char *key, uint64_t value)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS);

	gt__pb_string(o, NOTE_NAME, key);
	gt__pb_u64(o, NOTE_U64, value);
	gt__pb_end(o, note);
}

void gt__pf_put_spelled_text(struct gt__out *o, const char *key,
                             struct gt_text text)
{
	size_t note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS);

	gt__pb_string(o, NOTE_NAME, key);
	gt__pb_text(o, NOTE_STRING, text);
	gt__pb_end(o, note);
}

void gt__pf_put_flags(struct gt__out *o, unsigned flags)
{
	unsigned i;

	for (i = 0; flags && i < GT__FLAG_WORDS; i++)
		if (flags & gt__flag_words[i].flag)
			gt__pf_put_own_bool(
				o, (enum gt__pf_key)(GT__PF_KEY_FLAGS + i));
}

void gt__pf_put_status(struct gt__out *o, const struct gt_span_view *span)
{
	if (span->status == GT_STATUS_UNSET)
		return;
	gt__pf_put_own_word(o, GT__PF_KEY_STATUS,
	                    gt__status_word(span->status));
	if (span->status_text.count)
		put_own_text(o, GT__PF_KEY_STATUS_MESSAGE, span->status_text);
}

void gt__pf_put_flow(struct gt__out *o, bool terminates, uint64_t id)
{
	uint8_t *p = (uint8_t *)gt__out_room(o, GT__RAW_BYTES);

	if (!p)
		return;
	p = gt__raw_fixed64(p,
	                    terminates ? GT__PF_EVENT_TERMINATING_FLOW_IDS
	                               : GT__PF_EVENT_FLOW_IDS,
	                    id);
	o->used = (size_t)((char *)p - o->bytes);
}

/* A run has no slice; its flow would only tie those that link to it together.
 */
void gt__pf_put_links(struct gt__out *o, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	size_t note, text, i;

	for (i = 0; i < span->link_count; i++) {
		if (span->links[i].span_id != trace->run_id)
			gt__pf_put_flow(o, false, span->links[i].span_id);
		note = gt__pb_begin(o, GT__PF_EVENT_ANNOTATIONS);
		gt__pb_u64(o, NOTE_NAME_IID, GT__PF_KEY_LINK);
		text = gt__pb_begin(o, NOTE_STRING);
		gt__put_hex_bytes(o, span->links[i].trace_id, 16);
		gt__put_char(o, '-');
		gt__put_hex(o, span->links[i].span_id, 16);
		gt__pb_end(o, text);
		gt__pb_end(o, note);
	}
}
