/* SPDX-License-Identifier: MIT */
/*
 * Where a VM's RAM lies in its VMM. Boundaries of mappings are none of RAM:
 * banks merge with each other, in either order, and with what the VMM
 * allocates. So it is guessed, and the guest's page tables must prove it: they
 * lead from the address that the control block names to where it was found.
 */
#include "host/memory/memory.h"

#include <guesttrace/attach.h>

#include <errno.h>
#include <string.h>

#define GIB         (UINT64_C(1) << 30)
#define STEP        (UINT64_C(2) << 20) /* to which VMMs align RAM */
#define HIGH_GPA    (4 * GIB)
#define CR3_ADDRESS UINT64_C(0x000ffffffffff000)

/* Where RAM below 4 GiB ends if there is some above it: Firecracker and
 * cloud-hypervisor 3 GiB; QEMU's pc 3 or 3.5, its q35 2 or 2.75. */
static const uint64_t holes[] = {3 * GIB, 7 * GIB / 2, 2 * GIB, 11 * GIB / 4};
#define HOLES (sizeof(holes) / sizeof(holes[0]))

struct bank {
	uint64_t gpa, address, bytes;
};

struct search {
	const struct gt_found_control *control;
	struct gt_layout *layout; /* the first one that fits */
	bool any;
};

static void set(struct gt_layout *layout, int32_t pid, const struct bank *banks,
                uint32_t count)
{
	layout->count = count;
	for (uint32_t i = 0; i < count; i++) {
		layout->places[i] =
			(struct gt_process_memory){pid, banks[i].address};
		layout->slots[i] = (struct gt_memory_slot){
			.gpa = banks[i].gpa,
			.bytes = banks[i].bytes,
			.host = &layout->places[i],
			.access = &gt_memory_of_process};
	}
}

static bool leads(const struct gt__memory *memory,
                  const struct gt__paging *paging, uint64_t gva,
                  uint64_t *ret_gpa)
{
	struct gt__pinned piece;

	if (gt__memory_find(memory, paging, gva, 1, &piece) < 0)
		return false;
	*ret_gpa = piece.gpa;
	return true;
}

/* The address in the process; 0: it is in no bank. */
static uint64_t address_of(const struct gt_layout *layout, uint64_t gpa)
{
	for (uint32_t i = 0; i < layout->count; i++)
		if (gpa - layout->slots[i].gpa < layout->slots[i].bytes)
			return layout->places[i].address +
			       (gpa - layout->slots[i].gpa);
	return 0;
}

static bool is_right_vcpu(const struct gt__memory *memory,
                          const struct gt__paging *paging,
                          const struct gt_control *control)
{
	struct gt_vcpu vcpu;
	uint64_t gpa;

	if (gt__memory_read(memory, paging, control->vcpus_gva, &vcpu,
	                    sizeof(vcpu)) < 0)
		return false;
	return vcpu.ring[0].base_gva == 0 ||
	       leads(memory, paging, vcpu.ring[0].base_gva, &gpa);
}

static bool is_right_site(const struct gt__memory *memory,
                          const struct gt__paging *paging,
                          const struct gt_control *control)
{
	struct gt_site site;

	if (control->sites_bytes < sizeof(site))
		return true;
	return gt__memory_read(memory, paging, control->sites_gva, &site,
	                       sizeof(site)) == 0 &&
	       site.magic == GT_SITE_MAGIC;
}

static bool proves(const struct gt_layout *layout,
                   const struct gt_found_control *found, bool five_levels)
{
	const struct gt_control *control = &found->control;
	struct gt__memory memory = {.count = layout->count};
	/* Intel SDM volume 3, 2.5 and 2.2.1: 64-bit paging is on. */
	const struct gt__paging paging = {
		UINT64_C(1) << 31 | 1, control->root & CR3_ADDRESS,
		UINT64_C(1) << 5 | (five_levels ? UINT64_C(1) << 12 : 0),
		UINT64_C(1) << 10};
	uint64_t gpa;

	memcpy(memory.slots, layout->slots, sizeof(memory.slots));
	return leads(&memory, &paging, control->self_gva, &gpa) &&
	       address_of(layout, gpa) == found->address &&
	       is_right_vcpu(&memory, &paging, control) &&
	       is_right_site(&memory, &paging, control);
}

/* The first one that is right stays; how many more are is counted. */
static void try_banks(struct search *search, const struct bank *banks,
                      uint32_t count)
{
	struct gt_layout layout;

	for (uint32_t i = 0; i < count; i++)
		if (banks[i].bytes == 0)
			return;
	set(&layout, search->control->mapping->pid, banks, count);
	for (unsigned five = 0; five < 2; five++) {
		if (!proves(&layout, search->control, five))
			continue;
		if (search->any) {
			search->layout->others++;
			continue;
		}
		search->any = true;
		set(search->layout, search->control->mapping->pid, banks,
		    count);
		search->layout->has_five_levels = five;
		search->layout->others = 0;
	}
}

/* RAM above 4 GiB, from `high` on, lies before that below. */
static void try_high_first(struct search *search, uint64_t high, uint64_t begin,
                           uint64_t bytes)
{
	for (size_t i = 0; i < HOLES; i++) {
		const struct bank banks[] = {
			{0, begin, bytes < holes[i] ? bytes : holes[i]},
			{HIGH_GPA, high, begin - high}};

		if (bytes >= holes[i] || i == 0)
			try_banks(search, banks, 2);
	}
}

/* RAM from GPA 0 on lies `offset` bytes behind the mapping's beginning. */
static void try_within(struct search *search, const struct gt_mapping *mapping,
                       uint64_t offset)
{
	uint64_t begin = mapping->address + offset;
	uint64_t bytes = mapping->bytes - offset;
	uint64_t aligned = (mapping->address + STEP - 1) / STEP * STEP;
	const struct bank alone = {0, begin, bytes};

	if (bytes <= HIGH_GPA)
		try_banks(search, &alone, 1);
	for (size_t i = 0; i < HOLES; i++) {
		const struct bank banks[] = {
			{0, begin, holes[i]},
			{HIGH_GPA, begin + holes[i], bytes - holes[i]}};

		if (bytes > holes[i])
			try_banks(search, banks, 2);
	}
	if (offset > 0)
		try_high_first(search, mapping->address, begin, bytes);
	if (aligned != mapping->address && aligned < begin)
		try_high_first(search, aligned, begin, bytes);
}

/* A bank per mapping. */
static void try_pairs(struct search *search, const struct gt_mapping *mappings,
                      size_t count)
{
	const struct gt_mapping *own = search->control->mapping;

	for (size_t i = 0; i < count; i++) {
		const struct gt_mapping *other = &mappings[i];
		const struct bank low[] = {
			{0, own->address, own->bytes},
			{HIGH_GPA, other->address, other->bytes}};
		const struct bank high[] = {
			{0, other->address, other->bytes},
			{HIGH_GPA, own->address, own->bytes}};

		if (other->address == own->address || other->pid != own->pid)
			continue;
		if (own->bytes <= HIGH_GPA)
			try_banks(search, low, 2);
		if (other->bytes <= HIGH_GPA)
			try_banks(search, high, 2);
	}
}

int gt_layout_solve(const struct gt_mapping *mappings, size_t count,
                    const struct gt_found_control *control,
                    struct gt_layout *ret_layout)
{
	struct search search = {control, ret_layout, false};
	const struct gt_mapping *own = control->mapping;

	if (control->control.root == 0 || control->control.self_gva == 0)
		return -ENOENT;
	try_within(&search, own, 0);
	if (!search.any)
		try_pairs(&search, mappings, count);
	for (uint64_t at = STEP - own->address % STEP;
	     !search.any && at < own->bytes; at += STEP)
		try_within(&search, own, at);
	return search.any ? 0 : -ENOENT;
}

int gt_layout_check(struct gt_layout *layout,
                    const struct gt_found_control *control)
{
	layout->others = 0;
	if (control->control.root == 0 || control->control.self_gva == 0)
		return -ENOENT;
	for (unsigned five = 0; five < 2; five++) {
		if (!proves(layout, control, five))
			continue;
		layout->has_five_levels = five;
		return 0;
	}
	return -ENOENT;
}
