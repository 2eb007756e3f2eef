/* SPDX-License-Identifier: MIT */
/*
 * The writer below every exporter: one growing buffer and a sticky error.
 *
 * Whatever a record needs is put into the buffer, which is handed on at the
 * end of a record once it is large. A record is therefore contiguous until
 * `gt__out_record`, so that lengths and quotes can be patched in behind it, and
 * memory is bounded by the largest record. After the first error nothing more
 * is put or written; the bodies of the exporters need no check per line.
 */
#ifndef GUESTTRACE_OUT_H
#define GUESTTRACE_OUT_H

#include <guesttrace/export.h>

struct gt__out {
	struct gt_output output;
	char *bytes;
	size_t used;
	size_t size;
	int error; /* 0 or the first negative errno */
	/* Of a terminal, see terminal.h: */
	unsigned columns; /* 0: lines have no end */
	bool colours;
	/* Of each duration: 1, 1000 or 1000000 ns; 0: as it fits. */
	uint64_t unit_ns;
};

void gt__out_init(struct gt__out *out, const struct gt_output *output);
void gt__out_fini(struct gt__out *out);

/* Both return the sticky error. `record` writes only what is worth a call. */
int gt__out_record(struct gt__out *out);
int gt__out_flush(struct gt__out *out);

/* Room for `count` more bytes, to be counted into `used`; NULL after an error.
 */
char *gt__out_grow(struct gt__out *out, size_t count);

static inline char *gt__out_room(struct gt__out *out, size_t count)
{
	if (out->error)
		return NULL;
	if (out->size - out->used < count)
		return gt__out_grow(out, count);
	return out->bytes + out->used;
}

void gt__put_bytes(struct gt__out *out, const void *bytes, size_t count);

static inline void gt__put_char(struct gt__out *out, char c)
{
	char *room = gt__out_room(out, 1);

	if (!room)
		return;
	*room = c;
	out->used++;
}

void gt__put(struct gt__out *out, const char *text); /* never guest data */
void gt__put_u64(struct gt__out *out, uint64_t value);
void gt__put_i64(struct gt__out *out, int64_t value);
void gt__put_hex(struct gt__out *out, uint64_t value, unsigned digits);
void gt__put_hex_bytes(struct gt__out *out, const void *bytes, size_t count);
void gt__put_base64(struct gt__out *out, const void *bytes, size_t count);
void gt__put_pointer(struct gt__out *out, uint64_t value); /* 0x1f */

/*
 * The shortest of 15 to 17 digits that reads back equal; else NaN, Infinity or
 * -Infinity.
 */
void gt__put_f64(struct gt__out *out, double value);

#endif
