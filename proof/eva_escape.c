/* SPDX-License-Identifier: MIT */
/* Escapes of any text of up to TEXT_BYTES. What is put is read, and kept of
 * nothing but its length. */
#include "eva.h"
#include "export/out/escape.h"

#define TEXT_BYTES 2u

static uint8_t bytes[TEXT_BYTES];
static char kept[16 * TEXT_BYTES];
static volatile char sink;

void gt__put_bytes(struct gt__out *out, const void *from, size_t count)
{
	(void)out;
	for (size_t i = 0; i < count; i++)
		sink = ((const char *)from)[i];
}

void gt__put_char(struct gt__out *out, char c)
{
	gt__put_bytes(out, &c, 1);
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

int main(void)
{
	struct gt__out out = {.bytes = kept, .size = 0};

	make_any(bytes, sizeof(bytes));
	for (size_t count = 0; count <= TEXT_BYTES; count++) {
		struct gt_text text = {
			(const char *)bytes + TEXT_BYTES - count, count};

		gt__put_json(&out, text);
		gt__put_terminal(&out, text);
		gt__terminal_columns(text);
		gt__put_logfmt(&out, text);
		gt__put_folded(&out, text);
		gt__put_csv(&out, text);
		gt__put_utf8(&out, text);
	}
	return 0;
}
