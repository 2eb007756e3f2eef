/* SPDX-License-Identifier: MIT */
#include "bare_guest.h"
#include "inproc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct ram *ram;

void bare_new(void)
{
	ram = aligned_alloc(4096, sizeof(*ram));
	if (!ram)
		abort();
	memset(ram, 0, sizeof(*ram));
	bare_map(3);
}

void bare_free(void)
{
	free(ram);
	ram = NULL;
}

struct gt_memory_slot bare_slot(void)
{
	return (struct gt_memory_slot){.bytes = sizeof(*ram), .host = ram};
}

void bare_map(uint64_t flags)
{
	memset(ram->tables, 0, sizeof(ram->tables));
	ram->tables[0][0] = 0x1003;
	ram->tables[0][511] = 0x0003;
	ram->tables[1][0] = 0x83;
	ram->tables[0][BASE >> 39] = 0x2003;
	ram->tables[2][0] = 0x3003;
	ram->tables[3][0] = 0x4003;
	for (unsigned i = 0; i < sizeof(*ram) / 4096; i++)
		ram->tables[4][i] = 4096 * i | flags;
}

void bare_init(void)
{
	static const char text[] = "honest\0target\0file.c";
	struct gt_ring *ring = ram->vcpu.ring;

	bare_map(3);
	ram->site = (struct gt_site){.kind = GT_SITE_EVENT,
	                             .level = GT_INFO,
	                             .size = sizeof(ram->site) + sizeof(text),
	                             .magic = GT_SITE_MAGIC};
	memcpy(ram->site_text, text, sizeof(text));
	memset(&ram->vcpu, 0, sizeof(ram->vcpu));
	ring[0].base_gva = GVA(ring);
	ring[0].mask = 4095;
	ring[1] = ring[0];
	ring[1].base_gva += 4096;
	for (unsigned i = 0; i < 2; i++) {
		ring[i].limit = 1;
		ring[i].block_bytes = 1024;
	}
	ram->control = (struct gt_control){
		.magic = GT_CONTROL_MAGIC,
		.version = GT_ABI_VERSION,
		.size = sizeof(ram->control),
		.vcpus = 1,
		.vcpus_gva = GVA(vcpu),
		.vcpu_bytes = sizeof(ram->vcpu),
		.sites_gva = GVA(site),
		.sites_bytes = sizeof(ram->site) + sizeof(ram->site_text),
	};
}

/* No record crosses a block: 1,024 is a multiple of 16. */
void bare_record(struct gt_vcpu *vcpu)
{
	struct gt_ring *ring = &vcpu->ring[0];
	uint64_t words[2] = {(uint32_t)GVA(site) | UINT64_C(2) << 32 |
	                             (uint64_t)GT_RECORD_EVENT << 48,
	                     ++inproc_now};

	memcpy(ram->ring + (ring->pos & 4095), words, sizeof(words));
	ring->pos += sizeof(words);
}

struct gt_exit bare_exit(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = process_memory_exit();

	exit.cr3 = 0;
	exit.r9 = control_gva;
	exit.r10 = operation;
	return exit;
}
