/* SPDX-License-Identifier: MIT */
/*
 * A record: the bytes of all of it, its kind, an id, and then what the
 * functions below put and take in the same order: small numbers in few bytes,
 * seven bits in each, the low ones first.
 */
#include "packed.h"
#include <stdlib.h>
#include <string.h>

#define PACK_BYTES ((1u << 20) - 64)
#define WORD_MAX   10u /* bytes of a number of 64 bits */
#define HEAD_BYTES (sizeof(uint32_t) + 1 + sizeof(uint64_t))
#define SPAN_MAX   (HEAD_BYTES + 32 + 15 * WORD_MAX)
#define EVENT_MAX  (HEAD_BYTES + 24 + 6 * WORD_MAX)
#define FIELD_MAX  (1 + 4 * WORD_MAX)

struct gt__pack {
	struct gt__pack *next;
	size_t used, size;
	unsigned char bytes[];
};

/* ---- Bytes --------------------------------------------------------------- */

static unsigned char *put_word(unsigned char *at, uint64_t word)
{
	for (; word >= 0x80; word >>= 7)
		*at++ = (unsigned char)(word | 0x80);
	*at++ = (unsigned char)word;
	return at;
}

static uint64_t take_word(const unsigned char **at)
{
	uint64_t word = 0;
	unsigned shift = 0;
	unsigned char byte;

	do {
		byte = *(*at)++;
		word |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return word;
}

static unsigned char *put_raw(unsigned char *at, const void *from, size_t count)
{
	if (count)
		memcpy(at, from, count);
	return at + count;
}

static void take_raw(const unsigned char **at, void *to, size_t count)
{
	if (count)
		memcpy(to, *at, count);
	*at += count;
}

static unsigned char *put_text(unsigned char *at, struct gt_text text)
{
	return put_raw(put_word(at, text.count), text.bytes, text.count);
}

static struct gt_text take_text(const unsigned char **at)
{
	size_t count = (size_t)take_word(at);
	struct gt_text text = {(const char *)*at, count};

	*at += count;
	return text;
}

static bool is_text(const struct gt_field *f)
{
	return f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES;
}

static size_t size_of_fields(const struct gt_field *fields, size_t count)
{
	size_t i, bytes = count * FIELD_MAX;

	for (i = 0; i < count; i++) {
		bytes += fields[i].key.count;
		if (is_text(&fields[i]))
			bytes += fields[i].value.text.count;
	}
	return bytes;
}

static unsigned char *put_fields(unsigned char *at,
                                 const struct gt_field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct gt_field *f = &fields[i];

		at = put_text(at, f->key);
		*at++ = (unsigned char)f->type;
		at = put_word(at, f->full_bytes);
		if (is_text(f))
			at = put_text(at, f->value.text);
		else if (f->type == GT_TYPE_BOOL)
			*at++ = f->value.boolean;
		else
			at = put_word(at, f->value.u64); /* or its bits */
	}
	return at;
}

static void take_fields(const unsigned char **at, struct gt_field *fields,
                        size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct gt_field f = {.key = take_text(at)};

		f.type = (enum gt_type) * (*at)++;
		f.full_bytes = (uint32_t)take_word(at);
		if (is_text(&f))
			f.value.text = take_text(at);
		else if (f.type == GT_TYPE_BOOL)
			f.value.boolean = *(*at)++;
		else
			f.value.u64 = take_word(at);
		fields[i] = f;
	}
}

/* ---- Packs --------------------------------------------------------------- */

/* Room for a record of at most so many bytes, behind its head. */
static unsigned char *begin(struct gt__packs *packs, size_t most,
                            enum gt__packed_kind kind, uint64_t id)
{
	struct gt__pack *pack = packs->last;
	size_t size = most > PACK_BYTES ? most : PACK_BYTES;
	unsigned char *at;

	if (most > UINT32_MAX)
		return NULL;
	if (!pack || pack->size - pack->used < most) {
		pack = malloc(sizeof *pack + size);
		if (!pack)
			return NULL;
		*pack = (struct gt__pack){.size = size};
		*(packs->last ? &packs->last->next : &packs->first) = pack;
		packs->last = pack;
	}
	at = pack->bytes + pack->used + sizeof(uint32_t);
	*at++ = (unsigned char)kind;
	return put_raw(at, &id, sizeof id);
}

static void end(struct gt__packs *packs, const unsigned char *at)
{
	struct gt__pack *pack = packs->last;
	unsigned char *from = pack->bytes + pack->used;
	uint32_t bytes = (uint32_t)(at - from);

	put_raw(from, &bytes, sizeof bytes);
	pack->used += bytes;
}

void gt__packs_fini(struct gt__packs *packs)
{
	struct gt__pack *pack, *next;

	for (pack = packs->first; pack; pack = next) {
		next = pack->next;
		free(pack);
	}
	*packs = (struct gt__packs){0};
}

bool gt__packed_next(const struct gt__packs *packs, struct gt__packed *p)
{
	uint32_t bytes;

	if (!p->bytes)
		p->pack = packs->first;
	while (p->pack && p->at == p->pack->used) {
		p->pack = p->pack->next;
		p->at = 0;
	}
	if (!p->pack)
		return false;
	p->bytes = p->pack->bytes + p->at;
	take_raw(&p->bytes, &bytes, sizeof bytes);
	p->kind = (enum gt__packed_kind) * p->bytes++;
	take_raw(&p->bytes, &p->id, sizeof p->id);
	p->at += bytes;
	return true;
}

static bool make_room(void **array, size_t *room, size_t count, size_t member)
{
	void *larger;

	if (count <= *room)
		return true;
	larger = realloc(*array, count * member);
	if (!larger)
		return false;
	*array = larger;
	*room = count;
	return true;
}

void gt__packed_fini(struct gt__packed *p)
{
	free(p->fields);
	free(p->links);
}

/* ---- Spans --------------------------------------------------------------- */

enum bit {
	BIT_ENTERED = 1,
	BIT_REMOTE = 2,
	BIT_TRACE = 4,
	BITS = 3,
};

static uint64_t bits_of(const struct gt_span_view *s)
{
	return (s->entered ? BIT_ENTERED : 0u) |
	       (s->parent_remote ? BIT_REMOTE : 0u) |
	       (s->trace ? BIT_TRACE : 0u) | (uint64_t)s->status << BITS;
}

bool gt__pack_span(struct gt__packs *packs, const struct gt_span_view *s)
{
	size_t most = SPAN_MAX + s->status_text.count +
	              s->link_count * sizeof *s->links +
	              size_of_fields(s->fields, s->field_count);
	unsigned char *at = begin(packs, most, GT__PACKED_SPAN, s->id);

	if (!at)
		return false;
	at = put_raw(at, &s->site, sizeof s->site);
	at = put_raw(at, &s->parent_id, sizeof s->parent_id);
	at = put_raw(at, &s->start_ns, sizeof s->start_ns);
	at = put_word(at, s->end_ns - s->start_ns);
	at = put_word(at, bits_of(s));
	if (s->trace)
		at = put_raw(at, &s->trace, sizeof s->trace);
	at = put_word(at, s->guest_id);
	at = put_word(at, s->guest_parent_id);
	at = put_word(at, s->sequence);
	at = put_word(at, s->dropped_events);
	at = put_word(at, s->dropped_fields);
	at = put_word(at, s->vcpu);
	at = put_word(at, s->close_vcpu);
	at = put_word(at, s->level);
	at = put_word(at, s->flags);
	at = put_word(at, s->field_count);
	at = put_word(at, s->link_count);
	at = put_text(at, s->status_text);
	at = put_raw(at, s->links, s->link_count * sizeof *s->links);
	end(packs, put_fields(at, s->fields, s->field_count));
	return true;
}

static void take_bits(const unsigned char **at, struct gt_span_view *s)
{
	uint64_t bits = take_word(at);

	s->entered = bits & BIT_ENTERED;
	s->parent_remote = bits & BIT_REMOTE;
	s->status = (enum gt_status)(bits >> BITS);
	if (bits & BIT_TRACE)
		take_raw(at, &s->trace, sizeof s->trace);
}

bool gt__packed_span(struct gt__packed *p, struct gt_span_view *ret_span)
{
	const unsigned char *at = p->bytes;
	struct gt_span_view s = {.id = p->id};

	take_raw(&at, &s.site, sizeof s.site);
	take_raw(&at, &s.parent_id, sizeof s.parent_id);
	take_raw(&at, &s.start_ns, sizeof s.start_ns);
	s.end_ns = s.start_ns + take_word(&at);
	take_bits(&at, &s);
	s.guest_id = take_word(&at);
	s.guest_parent_id = take_word(&at);
	s.sequence = take_word(&at);
	s.dropped_events = take_word(&at);
	s.dropped_fields = take_word(&at);
	s.vcpu = (uint32_t)take_word(&at);
	s.close_vcpu = (uint32_t)take_word(&at);
	s.level = (uint32_t)take_word(&at);
	s.flags = (unsigned)take_word(&at);
	s.field_count = (size_t)take_word(&at);
	s.link_count = (size_t)take_word(&at);
	s.status_text = take_text(&at);
	if (!make_room((void **)&p->links, &p->link_room, s.link_count,
	               sizeof *p->links) ||
	    !make_room((void **)&p->fields, &p->field_room, s.field_count,
	               sizeof *p->fields))
		return false;
	take_raw(&at, p->links, s.link_count * sizeof *p->links);
	take_fields(&at, p->fields, s.field_count);
	s.links = p->links;
	s.fields = p->fields;
	*ret_span = s;
	return true;
}

/* ---- Events and counters ------------------------------------------------- */

bool gt__pack_event(struct gt__packs *packs, const struct gt_event_view *e,
                    bool counter)
{
	size_t most = EVENT_MAX + size_of_fields(e->fields, e->field_count);
	unsigned char *at = begin(
		packs, most, counter ? GT__PACKED_COUNTER : GT__PACKED_EVENT,
		e->span_id);

	if (!at)
		return false;
	at = put_raw(at, &e->site, sizeof e->site);
	at = put_raw(at, &e->time_ns, sizeof e->time_ns);
	at = put_word(at, e->trace ? BIT_TRACE : 0);
	if (e->trace)
		at = put_raw(at, &e->trace, sizeof e->trace);
	at = put_word(at, e->sequence);
	at = put_word(at, e->vcpu);
	at = put_word(at, e->level);
	at = put_word(at, e->flags);
	at = put_word(at, e->field_count);
	end(packs, put_fields(at, e->fields, e->field_count));
	return true;
}

bool gt__packed_event(struct gt__packed *p, struct gt_event_view *ret_event)
{
	const unsigned char *at = p->bytes;
	struct gt_event_view e = {.span_id = p->id};

	take_raw(&at, &e.site, sizeof e.site);
	take_raw(&at, &e.time_ns, sizeof e.time_ns);
	if (take_word(&at))
		take_raw(&at, &e.trace, sizeof e.trace);
	e.sequence = take_word(&at);
	e.vcpu = (uint32_t)take_word(&at);
	e.level = (uint32_t)take_word(&at);
	e.flags = (unsigned)take_word(&at);
	e.field_count = (size_t)take_word(&at);
	if (!make_room((void **)&p->fields, &p->field_room, e.field_count,
	               sizeof *p->fields))
		return false;
	take_fields(&at, p->fields, e.field_count);
	e.fields = p->fields;
	*ret_event = e;
	return true;
}
