/* SPDX-License-Identifier: MIT */
/*
 * A guest that is nothing but its memory: one vCPU, one site, and page tables
 * that map it at BASE. No guest library: every word is the test's to spoil.
 */
#ifndef GUESTTRACE_TESTS_BARE_GUEST_H
#define GUESTTRACE_TESTS_BARE_GUEST_H

#include <guesttrace/host.h>

#define BASE      UINT64_C(0x400000000000) /* GVA of the RAM, whose GPA is 0 */
#define NOWHERE   UINT64_C(0x555500000000) /* not mapped */
#define GVA(part) (BASE + offsetof(struct ram, part))

/* One object, so that ASan sees what leaves it and nothing else. */
struct ram {
	uint64_t tables[5][512];
	struct gt_control control __attribute__((aligned(4096)));
	struct gt_control fake;
	struct gt_vcpu vcpu __attribute__((aligned(4096)));
	struct gt_vcpu fake_vcpu;
	struct gt_site site __attribute__((aligned(4096)));
	char site_text[112];
	uint8_t ring[8192] __attribute__((aligned(4096)));
};

extern struct ram *ram;

void bare_new(void);
void bare_free(void);
struct gt_memory_slot bare_slot(void);

/* BASE by 4 KiB pages with `flags`, GVA 0 by one of 1 GiB, the last 512 GiB by
 * the tables themselves. */
void bare_map(uint64_t flags);

/* All as an honest guest has it just before it announces itself. */
void bare_init(void);

/* One record of the site, at the end of level 0. */
void bare_record(struct gt_vcpu *vcpu);

/* A doorbell. */
struct gt_exit bare_exit(uint64_t operation, uint64_t control_gva);

#endif
