/* SPDX-License-Identifier: MIT */
#include "process_memory.h"

#include <string.h>

#define TABLE_GPA UINT64_C(0x1000)
#define TABLES    64u

/* PML4, then one page of 1 GiB entries per 512 GiB of this process. */
static uint64_t tables[TABLES][512] __attribute__((aligned(4096)));
static unsigned tables_used;

static void map(uint64_t gva)
{
	uint64_t *pml4 = &tables[0][gva >> 39 & 511];
	uint64_t *table;

	if (!(*pml4 & 1))
		*pml4 = (TABLE_GPA + 4096 * tables_used++) | 3;
	table = tables[((*pml4 & ~UINT64_C(4095)) - TABLE_GPA) / 4096];
	table[gva >> 30 & 511] = (gva & ~((UINT64_C(1) << 30) - 1)) | 0x83;
}

/* All of this process that is mapped writable at the time of the call. */
uint32_t process_memory_slots(struct gt_memory_slot *slots)
{
	extern char __data_start, _end;
	uint64_t start = (uintptr_t)&__data_start & ~UINT64_C(4095);
	uint64_t end = ((uintptr_t)&_end + 4095) & ~UINT64_C(4095);

	memset(tables, 0, sizeof(tables));
	tables_used = 1;
	for (uint64_t at = start & ~((UINT64_C(1) << 30) - 1); at < end;
	     at += UINT64_C(1) << 30)
		map(at);
	slots[0] = (struct gt_memory_slot){
		.gpa = TABLE_GPA, .bytes = sizeof(tables), .host = tables};
	slots[1] = (struct gt_memory_slot){
		.gpa = start, .bytes = end - start, .host = (void *)start};
	return 2;
}

struct gt_exit process_memory_exit(void)
{
	return (struct gt_exit){
		.size = sizeof(struct gt_exit),
		.reason = GT_EXIT_IO,
		.port = GT_PORT_TRACE,
		.width_bytes = 1,
		.out = true,
		.count = 1,
		.r8 = GT_DOORBELL_MAGIC,
		.cr0 = UINT64_C(0x80000001),
		.cr3 = TABLE_GPA,
		.cr4 = UINT64_C(1) << 5,
		.efer = UINT64_C(1) << 10,
	};
}
