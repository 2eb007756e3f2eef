/* SPDX-License-Identifier: MIT */
/* Escapes of any text of up to TEXT_BYTES; `escape`: of up to SHORT_BYTES. What
 * is put is read, and kept of nothing but its length. */
#include "eva.h"
#include "export/out/escape.h"

#define TEXT_BYTES  8u
#define SHORT_BYTES 4u

static uint8_t bytes[TEXT_BYTES];
static char kept[16 * TEXT_BYTES];
static volatile char sink;

void gt__put_bytes(struct gt__out *out, const void *from, size_t count)
{
	(void)out;
	for (size_t i = 0; i < count; i++)
		sink = ((const char *)from)[i];
}

void gt__put(struct gt__out *out, const char *text)
{
	(void)out;
	while (*text)
		sink = *text++;
}

void gt__put_hex(struct gt__out *out, uint64_t value, unsigned digits)
{
	(void)out;
	(void)value;
	//@ assert digits <= 16;
}

char *gt__out_grow(struct gt__out *out, size_t count)
{
	(void)out;
	(void)count;
	return NULL; /* no memory: the cell stays as it is */
}

static void put_any(size_t count)
{
	struct gt__out out = {.bytes = kept, .size = 0};
	struct gt_text text = {(const char *)bytes + TEXT_BYTES - count, count};

	make_any(bytes, sizeof(bytes));
	gt__put_json(&out, text);
	gt__put_terminal(&out, text);
	gt__terminal_columns(text);
	gt__put_logfmt(&out, text);
	gt__put_folded(&out, text);
	gt__put_csv(&out, text);
	gt__put_utf8(&out, text);
}

void escape(void);
void escape_8(void);

void escape(void)
{
	//@ loop unroll 5;
	for (size_t count = 0; count <= SHORT_BYTES; count++)
		put_any(count);
}

void escape_8(void)
{
	//@ loop unroll 4;
	for (size_t count = SHORT_BYTES + 1; count <= TEXT_BYTES; count++)
		put_any(count);
}
