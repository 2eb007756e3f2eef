/* SPDX-License-Identifier: MIT */
#include "attach_search.h"
#include "attach_layout.h"
#include "command.h"
#include "free_memory.h"
#include "salvage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GIB UINT64_C(1073741824)

/* Where RAM above 4 GiB begins in a mapping; 0: there is none. */
static const uint64_t holes[] = {0, 3 * GIB, 7 * GIB / 2, 2 * GIB,
                                 11 * GIB / 4};

/* ---- A copy -------------------------------------------------------------- */

struct copy {
	struct dump *dump;
	const struct gt_mapping *mapping;
	const struct gt_layout *layout;
	uint8_t *bytes; /* as long as the mapping */
};

/* Of a stretch that lies in one bank. */
static int add_piece(struct copy *copy, uint64_t offset, uint64_t bytes)
{
	for (uint32_t i = 0; i < copy->layout->count; i++) {
		uint64_t within = copy->mapping->address + offset -
		                  copy->layout->places[i].address;

		if (within < copy->layout->slots[i].bytes)
			return dump_add_piece(
				copy->dump, copy->layout->slots[i].gpa + within,
				copy->bytes + offset, bytes, 0);
	}
	return 0;
}

/* What has gone meanwhile is left out; `salvage` reads holes. */
static int copy_range(void *context, uint64_t offset, uint64_t bytes)
{
	struct copy *copy = context;
	struct gt_process_memory place = {copy->mapping->pid,
	                                  copy->mapping->address};
	const uint64_t at_once = UINT64_C(1) << 20;

	for (uint64_t end = offset + bytes; offset < end;) {
		uint64_t count = at_once - offset % at_once;
		int r;

		if (count > end - offset)
			count = end - offset;
		if (gt_memory_of_process.read(
			    &place, offset, copy->bytes + offset, count) == 0) {
			r = add_piece(copy, offset, count);
			if (r < 0)
				return r;
		}
		offset += count;
	}
	return 0;
}

static int copy_mapping(struct dump *dump, const struct gt_mapping *mapping,
                        const struct gt_layout *layout)
{
	void *bytes = mmap(NULL, mapping->bytes, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct copy copy = {dump, mapping, layout, bytes};
	int r = dump_keep_mapping(dump, bytes, mapping->bytes);

	return r < 0 ? r : gt_process_present(mapping, copy_range, &copy);
}

/* ---- Layouts ------------------------------------------------------------- */

static bool lay_out(const struct gt_mapping *mapping, uint64_t hole,
                    struct gt_layout *layout)
{
	*layout = (struct gt_layout){.count = 0};
	if (hole >= mapping->bytes)
		return false;
	attach_layout_add(layout, mapping->pid, 0, mapping->address,
	                  hole ? hole : mapping->bytes);
	if (hole)
		attach_layout_add(layout, mapping->pid, 4 * GIB,
		                  mapping->address + hole,
		                  mapping->bytes - hole);
	return true;
}

/* ---- Guests -------------------------------------------------------------- */

static void add_guest(struct attach_memory *memory,
                      const struct gt_layout *layout,
                      const struct salvaged *salvaged,
                      const struct gt_found_control *found)
{
	struct attach_guest *guest;

	if (memory->guest_count == ATTACH_GUESTS_MAX)
		return;
	guest = &memory->guests[memory->guest_count++];
	*guest = (struct attach_guest){
		.found = *found,
		.root = salvaged->root,
		.control_gva = salvaged->control_gva,
		.control_gpa = salvaged->control_gpa,
		.from = ATTACH_ROOT_FOUND,
	};
	attach_layout_copy(&guest->layout, layout);
	gt_owner_read(&found->control, sizeof(found->control), &guest->owner);
}

/* A mapping has a bank, or more of them. */
static bool is_part(const struct gt_layout *layout,
                    const struct gt_mapping *mapping)
{
	for (uint32_t i = 0; i < layout->count; i++)
		if (layout->places[i].address - mapping->address <
		    mapping->bytes)
			return true;
	return false;
}

static int count_range(void *context, uint64_t offset, uint64_t bytes)
{
	uint64_t *sum = context;

	(void)offset;
	*sum += bytes;
	return 0;
}

/* A page that looks like a control block is enough to have all copied: the
 * machine's memory is not a guest's to fill. Half of what is free. */
static bool is_too_large(const struct attach_memory *memory,
                         const struct gt_layout *layout)
{
	static bool said;
	uint64_t bytes = 0, room = free_memory() / 2;

	for (size_t i = 0; i < memory->count; i++)
		if (is_part(layout, &memory->mappings[i]))
			gt_process_present(&memory->mappings[i], count_range,
			                   &bytes);
	if (bytes > room && !said)
		complain("a guest does not say where its page tables are, and "
		         "they are not looked for: a copy of its memory takes "
		         "%" PRIu64 " MiB, more than half of what is free",
		         bytes >> 20);
	said |= bytes > room;
	return bytes > room;
}

static int copy_all(struct dump *dump, const struct attach_memory *memory,
                    const struct gt_layout *layout)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < memory->count; i++)
		if (is_part(layout, &memory->mappings[i]))
			r = copy_mapping(dump, &memory->mappings[i], layout);
	return r == 0 ? dump_use(dump, 0) : r;
}

/* The ring was written to while it was copied: what it lacks says nothing. */
static bool is_led_to(const struct salvaged *guest)
{
	return guest->is_own && guest->missing.vcpus == 0 &&
	       guest->missing.sites_bytes == 0;
}

static int search(struct attach_memory *memory, const struct gt_layout *layout,
                  const struct gt_found_control *silent, size_t count)
{
	struct salvage *s = NULL;
	int r = -ENOMEM;

	if (is_too_large(memory, layout))
		return 0;
	s = calloc(1, sizeof(*s));
	if (s) {
		s->name = "memory";
		s->keeps_silent = true;
		r = copy_all(&s->dump, memory, layout);
	}
	if (r == 0)
		salvage_find(s);
	for (uint32_t i = 0; r == 0 && i < s->count; i++)
		for (size_t j = 0; j < count; j++)
			if (attach_layout_gpa(layout, silent[j].address) ==
			            s->guests[i].control_gpa &&
			    is_led_to(&s->guests[i]))
				add_guest(memory, layout, &s->guests[i],
				          &silent[j]);
	if (s)
		dump_fini(&s->dump);
	free(s);
	return r;
}

int attach_search(struct attach_memory *memory,
                  const struct gt_found_control *silent, size_t count)
{
	size_t before = memory->guest_count;
	struct gt_layout layout;
	int r = 0;

	if (memory->pid == 0) {
		attach_layout_of_files(memory, &layout);
		return search(memory, &layout, silent, count);
	}
	if (attach_layout_of_qmp(memory, &layout))
		r = search(memory, &layout, silent, count);
	for (size_t i = before; i < memory->guest_count; i++)
		memory->guests[i].is_laid_out_by_qmp = true;
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		if (r < 0 || memory->guest_count > before)
			break;
		if (lay_out(silent[0].mapping, holes[i], &layout))
			r = search(memory, &layout, silent, count);
	}
	return r;
}
