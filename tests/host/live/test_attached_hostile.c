/* SPDX-License-Identifier: MIT */
/*
 * A reader in another process, and a guest that lies or is gone: of all its
 * memory nothing is written but what it called its control block, its vCPUs'
 * tails and its sites' states, and that only while they are there. Threats A6, H1.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <guesttrace/attach.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	bare_init();
	ram->control.size = sizeof(ram->control);
	ram->control.self_gva = GVA(control);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	inproc_clear();
	bare_free();
	return 0;
}

static int64_t tsc_offset;

static int attach(struct gt_host **ret_host)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	const struct gt_attachment attachment = {
		.size = sizeof(attachment),
		.control_gva = GVA(control),
		.root = exit.cr3,
		.owner = 77,
		.lease_ticks = 1000,
		.tsc_offset = tsc_offset,
		.settle_ns = 1,
	};

	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	return gt_host_attach(&options, &attachment, ret_host);
}

/* What a host may write to the guest that bare_init() makes: format.md. */
static bool may_write(size_t at)
{
	const struct {
		size_t from, bytes;
	} places[] = {
		{offsetof(struct ram, control.context),
	         sizeof(struct gt_context)},
		{offsetof(struct ram, control.quiet), 4},
		{offsetof(struct ram, control.owner), 24},
		{offsetof(struct ram, site.state), 1},
		{offsetof(struct ram, vcpu.ring[0].tail), 16},
		{offsetof(struct ram, vcpu.ring[1].tail), 16},
		{offsetof(struct ram, vcpu.ring[2].tail), 16},
		{offsetof(struct ram, vcpu.ring[3].tail), 16},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (at - places[i].from < places[i].bytes)
			return true;
	return false;
}

static void check_writes(const struct ram *before, const char *what)
{
	const uint8_t *now = (const uint8_t *)ram;
	const uint8_t *was = (const uint8_t *)before;

	for (size_t i = 0; i < sizeof(*ram); i++)
		if (now[i] != was[i] && !may_write(i))
			fail_msg("%s: wrote at %zu", what, i);
}

static void all_that_is_written_is_documented(void **state)
{
	struct ram *before = aligned_alloc(4096, sizeof(*before));
	struct gt_host *host;

	(void)state;
	*before = *ram;
	assert_int_equal(attach(&host), 0);
	bare_record(&ram->vcpu);
	*before = *ram;
	assert_int_equal(gt_host_drain(host), 1);
	assert_int_equal(gt_host_detach(host), 0);
	check_writes(before, "honest");
	gt_host_free(host);
	free(before);
}

/* A recorder of before: nobody to say that it is read, and no lease. */
static void a_smaller_control_block_is_one(void **state)
{
	static const uint32_t sizes[] = {96, 112, 128};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct ram *before = aligned_alloc(4096, sizeof(*before));
		struct gt_host *host;

		bare_init();
		ram->control.size = sizes[i];
		memset((uint8_t *)&ram->control + sizes[i], 0x5b,
		       sizeof(ram->control) - sizes[i]);
		*before = *ram;
		assert_int_equal(attach(&host), 0);
		assert_int_equal(ram->site.state, GT_SITE_NATIVE);
		bare_record(&ram->vcpu);
		assert_int_equal(gt_host_drain(host), 1);
		assert_int_equal(gt_host_detach(host), 0);
		assert_int_equal(ram->site.state, before->site.state);
		assert_memory_equal((uint8_t *)&ram->control + sizes[i],
		                    (uint8_t *)&before->control + sizes[i],
		                    sizeof(ram->control) - sizes[i]);
		gt_host_finish(host, GT_ENDING_SNAPSHOT, 0, NULL);
		gt_host_free(host);
		free(before);
	}
}

/* What others are told by exits is not for one that is attached. */
static void it_takes_no_announcement(void **state)
{
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	struct gt_host *host;

	(void)state;
	assert_int_equal(attach(&host), 0);
	assert_int_equal(gt_host_exit(host, 0, &exit), -GT_ERROR_BAD_REQUEST);
	assert_int_equal(gt_host_resumed(host, 0, &exit, GVA(control)),
	                 -GT_ERROR_BAD_REQUEST);
	bare_record(&ram->vcpu);
	assert_int_equal(gt_host_drain(host), 1);
	gt_host_finish(host, GT_ENDING_SNAPSHOT, 0, NULL);
	gt_host_free(host);
}

/* Somebody is always inside a record: no look bounds the offset from above. */
static void what_waits_for_an_offset_has_a_bound(void **state)
{
	struct gt_host *host;
	unsigned drains = 0;

	(void)state;
	tsc_offset = GT_TSC_OFFSET_UNKNOWN;
	assert_int_equal(attach(&host), 0);
	tsc_offset = 0;
	while (!*inproc_text() && drains < 100000) {
		ram->vcpu.ring[0].limit = 0;
		bare_record(&ram->vcpu);
		assert_int_equal(gt_host_drain(host), 1);
		drains++;
	}
	/* A frame is of more than 100 bytes. */
	assert_in_range(drains, 100, ((1u << 20) + 2 * 8192) / 100);
	gt_host_finish(host, GT_ENDING_SNAPSHOT, 0, NULL);
	gt_host_free(host);
}

/* What lies there now is somebody else's: not one byte of it changes. */
static void spoil(size_t from, size_t bytes, bool whole)
{
	struct ram *before = aligned_alloc(4096, sizeof(*before));
	struct gt_host *host;
	int r;

	assert_int_equal(attach(&host), 0);
	bare_record(&ram->vcpu);
	memset((uint8_t *)ram + from, 0x5b, bytes);
	*before = *ram;
	r = gt_host_drain(host);
	assert_true(!whole || r == -GT_ERROR_GUEST_GONE);
	assert_true(gt_host_detach(host) < 0);
	for (size_t i = from; i < from + bytes; i++)
		assert_int_equal(((uint8_t *)ram)[i], 0x5b);
	check_writes(before, "spoilt");
	gt_host_finish(host, GT_ENDING_UNKNOWN, 0, NULL);
	gt_host_free(host);
	free(before);
}

static void a_guest_that_is_gone_is_not_written_to(void **state)
{
	(void)state;
	spoil(offsetof(struct ram, control), 4096, true);
}

static void a_ring_that_is_gone_gets_no_tail(void **state)
{
	(void)state;
	spoil(offsetof(struct ram, vcpu), sizeof(struct gt_vcpu), false);
}

static void a_site_that_is_gone_gets_no_state(void **state)
{
	(void)state;
	spoil(offsetof(struct ram, site), 16, false);
}

/* Page tables are looked at once. */
static void page_tables_may_be_reused(void **state)
{
	struct gt_host *host;

	(void)state;
	assert_int_equal(attach(&host), 0);
	for (unsigned i = 0; i < 5; i++)
		memset(ram->tables[i], 0x5b, sizeof(ram->tables[i]));
	bare_record(&ram->vcpu);
	assert_int_equal(gt_host_drain(host), 1);
	assert_int_equal(gt_host_detach(host), 0);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 512; j++)
			assert_int_equal(ram->tables[i][j],
			                 UINT64_C(0x5b5b5b5b5b5b5b5b));
	gt_host_finish(host, GT_ENDING_SNAPSHOT, 0, NULL);
	gt_host_free(host);
}

static uint64_t a_word(void)
{
	static const uint64_t words[] = {
		0,
		1,
		UINT64_MAX,
		GVA(control),
		GVA(fake),
		GVA(vcpu),
		GVA(fake_vcpu),
		GVA(site),
		GVA(ring),
		GVA(tables),
		GVA(site_text),
		NOWHERE,
		4096,
		8191,
		128,
		GT_CONTROL_MAGIC,
	};
	uint64_t word =
		words[(unsigned)rand() % (sizeof(words) / sizeof(words[0]))];

	return rand() % 4 ? word : word + 8 * ((unsigned)rand() % 64);
}

/* One word of one structure, or several, at the announcement or later. */
static void lie(void)
{
	uint64_t *const parts[] = {
		(uint64_t *)&ram->control, (uint64_t *)&ram->vcpu,
		(uint64_t *)&ram->site, ram->tables[rand() % 5]};
	const size_t words[] = {sizeof(ram->control) / 8, sizeof(ram->vcpu) / 8,
	                        4, 512};
	unsigned part = (unsigned)rand() % 4;

	parts[part][(size_t)rand() % words[part]] = a_word();
}

/*
 * Where it says that its vCPUs and sites are, and says it in their form, is
 * where they are: but whatever it says, no byte outside of its memory, and of
 * what is not the recorder's by its own word none.
 */
static void lies_of_every_word_are_harmless(void **state)
{
	unsigned attached = 0;

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		struct gt_host *host;
		uint8_t before[sizeof(ram->ring)];

		bare_init();
		ram->control.size = sizeof(ram->control);
		for (unsigned lies = (unsigned)rand() % 4; lies > 0; lies--)
			lie();
		memset(ram->ring, 0x5b, sizeof(ram->ring));
		memcpy(before, ram->ring, sizeof(before));
		if (attach(&host) < 0)
			continue;
		attached++;
		bare_record(&ram->vcpu);
		for (unsigned looks = (unsigned)rand() % 8 + 1; looks > 0;
		     looks--) {
			lie();
			ram->vcpu.ring[rand() % 4].pos +=
				8 * ((uint64_t)rand() % 5000);
			memcpy(before, ram->ring, sizeof(before));
			gt_host_drain(host);
		}
		gt_host_detach(host);
		/* The ring is only read. */
		assert_memory_equal(ram->ring, before, sizeof(before));
		gt_host_finish(host, GT_ENDING_UNKNOWN, 0, NULL);
		gt_host_free(host);
		inproc_clear();
	}
	assert_true(attached > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_smaller_control_block_is_one,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(it_takes_no_announcement, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			what_waits_for_an_offset_has_a_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(
			all_that_is_written_is_documented, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_guest_that_is_gone_is_not_written_to, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_ring_that_is_gone_gets_no_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_site_that_is_gone_gets_no_state, setup, teardown),
		cmocka_unit_test_setup_teardown(page_tables_may_be_reused,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(lies_of_every_word_are_harmless,
	                                        setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
