/* SPDX-License-Identifier: MIT */
#include "attach_layout.h"

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
