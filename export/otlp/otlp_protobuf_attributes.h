/* SPDX-License-Identifier: MIT */
/*
 * Attributes in OTLP/protobuf, shared by the messages of all signals. Room is
 * made once for the whole of a message or a list, and then bytes are stored
 * behind a pointer without looking.
 */
#ifndef GUESTTRACE_OTLP_PROTOBUF_ATTRIBUTES_H
#define GUESTTRACE_OTLP_PROTOBUF_ATTRIBUTES_H

#include "export/out/protobuf_bytes.h"
#include "otlp.h"

#define GT__PB_FIELD_MAX 96u /* of a field beside its texts */

/* How many bytes the two below store at most. Asked for each message. */
static inline size_t gt__pb_fields_max(const struct gt_field *fields,
                                       size_t count)
{
	size_t i, texts = 0;

	for (i = 0; i < count; i++) {
		const struct gt_field *f = &fields[i];

		texts += f->key.count;
		if (f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES)
			texts += f->value.text.count;
	}
	return count * GT__PB_FIELD_MAX + texts * GT__PB_GROWTH;
}

static inline size_t
gt__pb_attributes_max(const struct gt__otlp_attributes *attributes)
{
	return attributes->opening.count +
	       gt__pb_fields_max(attributes->guest, attributes->guest_count) +
	       attributes->place.count +
	       3 * GT__PB_FIELD_MAX; /* guest_id and last */
}

/*
 * `tag`, of one byte, is that of the KeyValues in their message. Both return
 * where the next byte goes. Of the first, keys stand as they are.
 */
unsigned char *gt__pb_host(unsigned char *p, unsigned tag,
                           const struct gt_field *fields, size_t count);
unsigned char *gt__pb_attributes(unsigned char *p, unsigned tag,
                                 const struct gt__otlp_attributes *attributes);

/* Room for `count` bytes, NULL after an error; and its end. */
static inline unsigned char *gt__pb_room(struct gt__out *o, size_t count)
{
	return (unsigned char *)gt__out_room(o, count);
}

static inline void gt__pb_end_room(struct gt__out *o, const unsigned char *p)
{
	o->used = (size_t)(p - (unsigned char *)o->bytes);
}

static inline unsigned char *gt__pb_id(unsigned char *p, unsigned tag,
                                       uint64_t id)
{
	*p++ = (unsigned char)tag;
	*p++ = 8;
	return gt__pb_fixed64(p, __builtin_bswap64(id)); /* big endian */
}

static inline unsigned char *gt__pb_trace_id(unsigned char *p, unsigned tag,
                                             const uint8_t *trace_id)
{
	*p++ = (unsigned char)tag;
	*p++ = 16;
	memcpy(p, trace_id, 16);
	return p + 16;
}

#endif
