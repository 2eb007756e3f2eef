/* SPDX-License-Identifier: MIT */
/*
 * The page walk, reading and writing: any registers, any address, any bytes in
 * two slots, so many bytes asked for.
 */
#include "eva.h"
#include "host/memory/memory.h"

#define LOW_BYTES  16u
#define HIGH_BYTES 4u
#define COUNT_MAX  9u

static uint64_t low[LOW_BYTES / 8], high[(HIGH_BYTES + 7) / 8];
static uint8_t buffer[COUNT_MAX];
static struct gt__memory memory;

static void make_memory(void)
{
	make_any(low, sizeof(low));
	make_any(high, sizeof(high));
	memory.count = 2;
	memory.slots[0].gpa = any(0, UINT64_MAX - LOW_BYTES);
	memory.slots[0].bytes = LOW_BYTES;
	memory.slots[0].host = low;
	memory.slots[0].read_only = any(0, 1);
	memory.slots[1].gpa = any(0, UINT64_MAX - HIGH_BYTES);
	memory.slots[1].bytes = HIGH_BYTES;
	memory.slots[1].host = high;
}

static struct gt__paging any_paging(void)
{
	return (struct gt__paging){any(0, UINT64_MAX), any(0, UINT64_MAX),
	                           any(0, UINT64_MAX), any(0, UINT64_MAX)};
}

/* ---- One is analyzed at a time ------------------------------------------- */

void load(void);
void read_some(void);
void write_some(void);
void read_byte(void);
void write_byte(void);
void read_two(void);
void write_two(void);

void load(void)
{
	struct gt__paging paging = any_paging();
	uint64_t word;

	make_memory();
	gt__memory_load(&memory, &paging, any(0, UINT64_MAX), &word);
}

void read_some(void)
{
	static const size_t counts[] = {0, 1, 8, COUNT_MAX};
	struct gt__paging paging = any_paging();

	make_memory();
	for (unsigned i = 0; i < 4; i++)
		gt__memory_read(&memory, &paging, any(0, UINT64_MAX), buffer,
		                counts[i]);
}

void write_some(void)
{
	static const size_t counts[] = {0, 1, 8, COUNT_MAX};
	struct gt__paging paging = any_paging();

	make_memory();
	for (unsigned i = 0; i < 4; i++)
		gt__memory_write(&memory, &paging, any(0, UINT64_MAX), buffer,
		                 counts[i]);
}

void read_byte(void)
{
	struct gt__paging paging = any_paging();

	make_memory();
	gt__memory_read(&memory, &paging, any(0, UINT64_MAX), buffer, 1);
}

void write_byte(void)
{
	struct gt__paging paging = any_paging();

	make_memory();
	gt__memory_write(&memory, &paging, any(0, UINT64_MAX), buffer, 1);
}

/* Two bytes may lie on two pages, and those in two slots. */
void read_two(void)
{
	struct gt__paging paging = any_paging();

	make_memory();
	gt__memory_read(&memory, &paging, any(0, UINT64_MAX), buffer, 2);
}

void write_two(void)
{
	struct gt__paging paging = any_paging();

	make_memory();
	gt__memory_write(&memory, &paging, any(0, UINT64_MAX), buffer, 2);
}
