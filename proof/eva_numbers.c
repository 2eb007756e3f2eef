/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text: any value, in columns of any width up to WIDTH. What is put
 * has to be there to be read; where it goes is `put_bytes`: any bytes, of any
 * count up to COUNT, behind any that there are, with room for them and without.
 */
#include "eva.h"
#include "export/out/durations.h"
#include "export/out/numbers.h"

#define WIDTH 24u
#define SIZE  24u
#define COUNT 20u

static char kept[SIZE], grown[2 * SIZE];

static int show(void *context, const void *bytes, size_t count)
{
	(void)context;
	//@ assert \valid_read((const char *)bytes + (0 .. count - 1));
	return any(0, 1) ? 0 : -1;
}

static struct gt__out out = {.output = {.write = show}};

/* realloc(): of a buffer that is full, to twice its size, or NULL. */
void *grow(void *bytes, size_t count);

void *grow(void *bytes, size_t count)
{
	//@ assert bytes == &kept[0];
	//@ assert count == 2 * SIZE;
	return any(0, 1) ? grown : NULL;
}

/* What gt__put_bytes() is taken for where numbers are looked at. */
/*@ requires \valid_read((const char *)bytes + (0 .. count - 1));
    assigns \nothing; */
void gt__put_bytes(struct gt__out *to, const void *bytes, size_t count);

static void begin(size_t used)
{
	out.bytes = kept;
	out.size = SIZE;
	out.used = used;
	out.error = 0;
}

static void put_one(uint64_t value)
{
	gt__put_u64(&out, value);
	gt__put_i64(&out, (int64_t)value);
	gt__put_duration(&out, value);
	//@ loop unroll 18;
	for (unsigned room = 0; room <= 17; room++) {
		begin(SIZE - room);
		gt__put_pointer(&out, value);
	}
	begin(0);
}

static void put_in(uint64_t value, uint64_t of, size_t width)
{
	gt__put_count(&out, value, width);
	gt__put_percent(&out, value, of, width);
	gt__put_estimate(&out, value, of, width);
	if (of > 0)
		gt__put_change(&out, of, value, width);
	gt__put_duration_in(&out, value, width);
	gt__put_dash(&out, width);
}

void numbers(void);
void put_bytes(void);

void numbers(void)
{
	static const uint64_t units[] = {0, 1, 1000, 1000000, 1000000000};

	begin(0);
	//@ loop unroll 5;
	for (unsigned i = 0; i < 5; i++) {
		out.unit_ns = units[i];
		put_one(any(0, UINT64_MAX));
		put_in(any(0, UINT64_MAX), any(0, UINT64_MAX), any(0, WIDTH));
	}
}

void put_bytes(void)
{
	static char bytes[COUNT];

	make_any(bytes, sizeof(bytes));
	//@ loop unroll 25;
	for (size_t used = 0; used <= SIZE; used++) {
		//@ loop unroll 21;
		for (size_t count = 0; count <= COUNT; count++) {
			begin(used);
			gt__put_bytes(&out, bytes, count);
			//@ assert out.used <= out.size;
			gt__out_record(&out);
			gt__out_flush(&out);
			//@ assert out.used == 0;
		}
	}
}
