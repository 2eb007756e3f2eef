/* SPDX-License-Identifier: MIT */
/* Packets of a CTF stream, and values in them: little-endian, unaligned. */
#include "ctf.h"
#include "export/out/escape.h"
#include <errno.h>
#include <string.h>

#define PACKET_BYTES (64u << 10) /* written once this much has gathered */
#define CTF_MAGIC    0xc1fc1fc1u
#define HEAD_BYTES   (4u + 16 + 4 + 6 * 8 + 4)

uint64_t gt__ctf_offset_ns(const struct gt_trace *trace)
{
	int64_t offset = trace->monotonic_offset_ns;

	/* Else the clock counts from 1970 itself: it cannot be negative. */
	return offset > 0 && (uint64_t)offset <= trace->start_ns
	               ? (uint64_t)offset
	               : 0;
}

static uint64_t clock_ns(const struct gt_trace *trace, uint64_t time_ns)
{
	uint64_t offset = gt__ctf_offset_ns(trace);

	return time_ns < offset ? 0 : time_ns - offset;
}

void gt__ctf_put_u8(struct gt__out *o, uint8_t value)
{
	gt__put_bytes(o, &value, 1);
}

static void put_word(struct gt__out *o, uint64_t value, unsigned count)
{
	unsigned char bytes[8];
	unsigned i;

	for (i = 0; i < count; i++)
		bytes[i] = (unsigned char)(value >> i * 8);
	gt__put_bytes(o, bytes, count);
}

void gt__ctf_put_u32(struct gt__out *o, uint32_t value)
{
	put_word(o, value, 4);
}

void gt__ctf_put_u64(struct gt__out *o, uint64_t value)
{
	put_word(o, value, 8);
}

void gt__ctf_put_string(struct gt__out *o, struct gt_text text)
{
	const char *nul;

	while (text.count && (nul = memchr(text.bytes, 0, text.count))) {
		size_t before = (size_t)(nul - text.bytes);

		gt__put_utf8(o, (struct gt_text){text.bytes, before});
		gt__put(o, "\\u{0}");
		text.bytes = nul + 1;
		text.count -= before + 1;
	}
	gt__put_utf8(o, text);
	gt__put_char(o, '\0');
}

void gt__ctf_put_field(struct gt__out *o, const struct gt_field *f)
{
	uint64_t word = 0;

	switch (f->type) {
	case GT_TYPE_U64:
	case GT_TYPE_POINTER:
		gt__ctf_put_u64(o, f->value.u64);
		break;
	case GT_TYPE_I64:
		gt__ctf_put_u64(o, (uint64_t)f->value.i64);
		break;
	case GT_TYPE_F64:
		memcpy(&word, &f->value.f64, sizeof word);
		gt__ctf_put_u64(o, word);
		break;
	case GT_TYPE_BOOL:
		gt__ctf_put_u8(o, f->value.boolean);
		break;
	case GT_TYPE_STRING:
		gt__ctf_put_string(o, f->value.text);
		break;
	case GT_TYPE_BYTES:
		gt__ctf_put_u32(o, (uint32_t)f->value.text.count);
		gt__put_bytes(o, f->value.text.bytes, f->value.text.count);
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
}

/* ---- Packets ------------------------------------------------------------- */

/* Room for the head, which is filled in when the rest is known. */
static void begin_packet(struct gt__ctf_stream *s)
{
	static const unsigned char head[HEAD_BYTES];

	if (!s->out.used)
		gt__put_bytes(&s->out, head, sizeof head);
}

void gt__ctf_begin_event(struct gt__ctf_stream *s, const struct gt_trace *trace,
                         enum gt__ctf_stream_id stream_id, uint32_t id,
                         uint64_t time_ns)
{
	uint64_t at = clock_ns(trace, time_ns), late = 0;

	if (at < s->last_ns) {
		late = s->last_ns - at;
		at = s->last_ns;
	}
	if (!s->out.used)
		s->first_ns = at;
	begin_packet(s);
	s->last_ns = at;
	gt__ctf_put_u32(&s->out, id);
	gt__ctf_put_u64(&s->out, at);
	if (stream_id == GT__CTF_RECORDS)
		gt__ctf_put_u64(&s->out, late);
}

static void fill_in_head(struct gt__ctf_stream *s, const struct gt_trace *trace,
                         enum gt__ctf_stream_id stream_id, uint32_t vcpu)
{
	size_t used = s->out.used;
	uint64_t bits = (uint64_t)used * 8;

	s->out.used = 0; /* over the room that begin_packet() left */
	gt__ctf_put_u32(&s->out, CTF_MAGIC);
	gt__put_bytes(&s->out, trace->trace_id, 16);
	gt__ctf_put_u32(&s->out, (uint32_t)stream_id);
	gt__ctf_put_u64(&s->out, s->first_ns);
	gt__ctf_put_u64(&s->out, s->last_ns);
	gt__ctf_put_u64(&s->out, bits); /* of the content */
	gt__ctf_put_u64(&s->out, bits); /* of the packet */
	gt__ctf_put_u64(&s->out, s->packets++);
	gt__ctf_put_u64(&s->out, s->discarded);
	gt__ctf_put_u32(&s->out, vcpu);
	s->out.used = used;
}

int gt__ctf_packet(struct gt__ctf_stream *s, const struct gt_trace *trace,
                   enum gt__ctf_stream_id stream_id, uint32_t vcpu, bool all)
{
	if (!s->open || (!all && s->out.used < PACKET_BYTES))
		return s->out.error;
	if (s->out.used && !s->out.error)
		fill_in_head(s, trace, stream_id, vcpu);
	return gt__out_flush(&s->out);
}

int gt__ctf_discard(struct gt__ctf_stream *s, const struct gt_trace *trace,
                    uint32_t vcpu, uint64_t events, uint64_t from_ns,
                    uint64_t by_ns)
{
	uint64_t from = clock_ns(trace, from_ns), at = clock_ns(trace, by_ns);

	if (!s->packets && !s->out.used) {
		s->first_ns = s->last_ns = clock_ns(trace, trace->start_ns);
		begin_packet(s);
	}
	if (s->out.used && from > s->last_ns)
		s->last_ns = from;
	gt__ctf_packet(s, trace, GT__CTF_RECORDS, vcpu, true);
	s->first_ns = s->last_ns;
	if (at > s->last_ns)
		s->last_ns = at;
	s->discarded += events;
	begin_packet(s);
	return gt__ctf_packet(s, trace, GT__CTF_RECORDS, vcpu, true);
}
