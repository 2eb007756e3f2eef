/* SPDX-License-Identifier: MIT */
#include "attach_layout.h"

#define HIGH_GPA (UINT64_C(4) << 30)

void attach_layout_add(struct gt_layout *layout, int32_t pid, uint64_t gpa,
                       uint64_t address, uint64_t bytes)
{
	uint32_t i = layout->count++;

	layout->places[i] = (struct gt_process_memory){pid, address};
	layout->slots[i] =
		(struct gt_memory_slot){.gpa = gpa,
	                                .bytes = bytes,
	                                .host = &layout->places[i],
	                                .access = &gt_memory_of_process};
}

void attach_layout_of_files(const struct attach_memory *memory,
                            struct gt_layout *layout)
{
	*layout = (struct gt_layout){.count = 0};
	for (uint32_t i = 0; i < memory->count; i++)
		attach_layout_add(layout, memory->mappings[i].pid,
		                  memory->gpas[i], memory->mappings[i].address,
		                  memory->mappings[i].bytes);
}

/* How much of a mapping there is from that address on. */
static uint64_t left_of(const struct attach_memory *memory, uint64_t address)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct gt_mapping *mapping = &memory->mappings[i];

		if (address - mapping->address < mapping->bytes)
			return mapping->bytes - (address - mapping->address);
	}
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* RAM below 4 GiB ends where that above begins, or what there is does. */
bool attach_layout_of_qmp(const struct attach_memory *memory,
                          struct gt_layout *layout)
{
	uint64_t low = memory->qmp.low, high = memory->qmp.high;
	uint64_t bytes = memory->qmp.bytes ? memory->qmp.bytes : UINT64_MAX;
	uint64_t low_bytes =
		least(least(left_of(memory, low), bytes), HIGH_GPA);
	uint64_t high_bytes = left_of(memory, high);

	*layout = (struct gt_layout){.count = 0};
	if (memory->pid == 0 || low == 0 || low_bytes == 0)
		return false;
	if (high > low)
		low_bytes = least(low_bytes, high - low);
	else if (high)
		high_bytes = least(high_bytes, low - high);
	attach_layout_add(layout, memory->pid, 0, low, low_bytes);
	high_bytes = least(high_bytes, bytes - low_bytes);
	if (high && high_bytes)
		attach_layout_add(layout, memory->pid, HIGH_GPA, high,
		                  high_bytes);
	return true;
}

uint64_t attach_layout_gpa(const struct gt_layout *layout, uint64_t address)
{
	for (uint32_t i = 0; i < layout->count; i++)
		if (address - layout->places[i].address <
		    layout->slots[i].bytes)
			return layout->slots[i].gpa +
			       (address - layout->places[i].address);
	return UINT64_MAX;
}

void attach_layout_copy(struct gt_layout *to, const struct gt_layout *from)
{
	*to = *from;
	for (uint32_t i = 0; i < to->count; i++)
		to->slots[i].host = &to->places[i];
}
