/* SPDX-License-Identifier: MIT */
#include "hyperlight_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct batch batch_read(const char *directory, enum gt_wire wire,
                        const char *name)
{
	struct batch batch = {0};
	char path[512];
	FILE *file;
	long bytes;

	snprintf(path, sizeof(path), "%s/hyperlight-0.1%c/%s.bin", directory,
	         wire == GT_WIRE_HYPERLIGHT_0_11 ? '1' : '2', name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("no %s", path);
	fseek(file, 0, SEEK_END);
	bytes = ftell(file);
	rewind(file);
	batch.count = (size_t)bytes;
	batch.bytes = malloc(batch.count + (batch.count == 0));
	assert_int_equal(fread(batch.bytes, 1, batch.count, file), bytes);
	fclose(file);
	return batch;
}

void batch_free(struct batch *batch)
{
	free(batch->bytes);
	*batch = (struct batch){0};
}

static void put16(struct batch *batch, size_t at, size_t value)
{
	uint16_t word = (uint16_t)value;

	memcpy(batch->bytes + at, &word, sizeof(word));
}

static void put32(struct batch *batch, size_t at, size_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(batch->bytes + at, &word, sizeof(word));
}

/* A vtable at `at`, its table behind it, with up to four fields. */
static size_t put_table(struct batch *batch, size_t at, size_t slots,
                        const uint16_t *offsets)
{
	size_t table = at + 4 + 2 * slots;

	put16(batch, at, 4 + 2 * slots);
	put16(batch, at + 2, 12);
	for (size_t i = 0; i < slots; i++)
		put16(batch, at + 4 + 2 * i, offsets[i]);
	put32(batch, table, table - at);
	return table;
}

static size_t put_string(struct batch *batch, size_t at, uint32_t bytes,
                         uint8_t filler)
{
	put32(batch, at, bytes);
	memset(batch->bytes + at + 4, filler, bytes);
	if (filler >= 0x80) /* two-byte sequences */
		for (uint32_t i = 1; i < bytes; i += 2)
			batch->bytes[at + 4 + i] = 0xa9;
	return at;
}

static void make_room(struct batch *batch, size_t count)
{
	batch->count = (count + 7) & ~(size_t)7;
	batch->bytes = calloc(1, batch->count);
	assert_non_null(batch->bytes);
	put32(batch, 0, batch->count - 4);
}

/* The envelope of a log event, which comes right behind it. */
static size_t put_log(struct batch *batch, size_t at, size_t *ret_log)
{
	size_t envelope = put_table(batch, at, 2, (uint16_t[]){4, 8});

	batch->bytes[envelope + 4] = GT_HYPERLIGHT_LOG;
	*ret_log = put_table(batch, envelope + 12, 4, (uint16_t[]){0, 4, 0, 8});
	put32(batch, envelope + 8, *ret_log - (envelope + 8));
	return envelope;
}

static void point(struct batch *batch, size_t from, size_t to)
{
	put32(batch, from, to - from);
}

struct batch batch_shared_field(uint32_t fields, uint32_t string_bytes,
                                uint8_t filler)
{
	struct batch batch;
	size_t log, vector, field, string;

	make_room(&batch, (size_t)4 * fields + string_bytes + 88);
	point(&batch, 4, put_log(&batch, 8, &log));
	vector = log + 12;
	put32(&batch, vector, fields);
	field = put_table(&batch, vector + 4 + (size_t)4 * fields, 2,
	                  (uint16_t[]){4, 8});
	string = put_string(&batch, field + 12, string_bytes, filler);
	for (size_t i = 1; i <= fields; i++)
		point(&batch, vector + 4 * i, field);
	point(&batch, field + 4, string);
	point(&batch, field + 8, string);
	point(&batch, log + 4, string);
	point(&batch, log + 8, vector);
	return batch;
}

struct batch batch_shared_event(uint32_t events, uint32_t string_bytes)
{
	struct batch batch;
	size_t root, vector, envelope, log, string;

	make_room(&batch, (size_t)4 * events + string_bytes + 96);
	root = put_table(&batch, 8, 2, (uint16_t[]){0, 4});
	point(&batch, 4, root);
	vector = root + 12;
	point(&batch, root + 4, vector);
	put32(&batch, vector, events);
	envelope = put_log(&batch, vector + 4 + (size_t)4 * events, &log);
	string = put_string(&batch, log + 12, string_bytes, 'e');
	for (size_t i = 1; i <= events; i++)
		point(&batch, vector + 4 * i, envelope);
	point(&batch, log + 4, string);
	put16(&batch, log - 4 + 2, 0); /* no fields */
	return batch;
}

uint64_t batch_output_bytes(const struct gt_hyperlight_event *event)
{
	uint64_t bytes = 32 + event->name.count + event->target.count;

	for (uint32_t i = 0; i < event->field_count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		bytes += 16 + field.key.count + field.value.count;
	}
	return bytes;
}
