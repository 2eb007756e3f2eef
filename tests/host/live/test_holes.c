/* SPDX-License-Identifier: MIT */
/*
 * The memory of a dead guest, of which pages are missing: every record of which
 * no byte lay on such a page is found, and no other one appears. Where each
 * record lies is what this test wrote down when it made it.
 */
#include "tests/support/inproc.h"
#include "tests/support/random64.h"

#include <guesttrace/host_completion.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BASE        UINT64_C(0x400000000000)
#define GVA(part)   (BASE + offsetof(struct ram, part))
#define PAGE        4096u
#define RING_BYTES  (32u * PAGE)
#define BLOCK_BYTES (8u * PAGE)
#define VCPUS       2u
#define RECORDS_MAX 4096u

/* The second vCPU's description begins a page. */
struct ram {
	uint64_t tables[4][512];
	struct gt_control control __attribute__((aligned(PAGE)));
	uint8_t before[PAGE - sizeof(struct gt_vcpu)]
		__attribute__((aligned(PAGE)));
	struct gt_vcpu vcpus[VCPUS];
	uint8_t sites[2 * PAGE] __attribute__((aligned(PAGE)));
	uint8_t rings[VCPUS][RING_BYTES] __attribute__((aligned(PAGE)));
};

static struct ram *ram;

struct made {
	uint64_t pos, bytes;
	unsigned vcpu;
	bool found;
};

static struct made made[RECORDS_MAX];
static unsigned count;

/* ---- The guest ----------------------------------------------------------- */

static void make_site(size_t at, const char *name)
{
	static const char rest[] = "target\0file.c\0un\0st";
	struct gt_site site = {.kind = GT_SITE_EVENT,
	                       .level = GT_INFO,
	                       .fields = 2,
	                       .magic = GT_SITE_MAGIC};
	size_t length = strlen(name) + 1;

	site.size = (uint16_t)(sizeof(site) + length + sizeof(rest));
	memcpy(ram->sites + at, &site, sizeof(site));
	memcpy(ram->sites + at + sizeof(site), name, length);
	memcpy(ram->sites + at + sizeof(site) + length, rest, sizeof(rest));
}

static void put(unsigned vcpu, const uint64_t *words, size_t n)
{
	struct gt_ring *ring = &ram->vcpus[vcpu].ring[0];

	for (size_t i = 0; i < n; i++, ring->pos += 8)
		memcpy(ram->rings[vcpu] + (ring->pos & ring->mask), &words[i],
		       8);
}

static void put_head(unsigned vcpu, unsigned kind, uint64_t words,
                     uint64_t site)
{
	const uint64_t head[] = {(uint32_t)site | words << 32 |
	                                 (uint64_t)kind << 48,
	                         ++inproc_now};

	put(vcpu, head, kind == GT_RECORD_PAD ? 1 : 2);
}

/* Number `count`, and up to 100 bytes of text that look like anything. */
static void record(unsigned vcpu, size_t site)
{
	struct gt_ring *ring = &ram->vcpus[vcpu].ring[0];
	uint64_t text = random64() % 101, words = 4 + (text + 7) / 8;
	uint64_t left = BLOCK_BYTES - ring->pos % BLOCK_BYTES;
	uint64_t values[2] = {count, text | text << 32}, bytes[13] = {0};

	if (left < 8 * words) {
		put_head(vcpu, GT_RECORD_PAD, left / 8, 0);
		ring->pos += left - 8;
		left = BLOCK_BYTES;
	}
	if (left == BLOCK_BYTES) {
		const uint64_t sync[4] = {0};

		put_head(vcpu, GT_RECORD_SYNC, 6, 0);
		put(vcpu, sync, 4);
	}
	for (unsigned i = 0; i < 13; i++)
		bytes[i] = random64() % 3 ? random64() : 0;
	made[count] = (struct made){ring->pos, 8 * words, vcpu, false};
	put_head(vcpu, GT_RECORD_EVENT, words, GVA(sites) + site);
	put(vcpu, values, 2);
	put(vcpu, bytes, (text + 7) / 8);
	count++;
}

static void map(void)
{
	memset(ram->tables, 0, sizeof(ram->tables));
	ram->tables[0][BASE >> 39] = PAGE | 3;
	ram->tables[1][0] = 2 * PAGE | 3;
	ram->tables[2][0] = 3 * PAGE | 3;
	for (unsigned i = 0; i < sizeof(*ram) / PAGE; i++)
		ram->tables[3][i] = (uint64_t)i * PAGE | 3;
}

static void make_guest(unsigned records)
{
	memset(ram, 0, sizeof(*ram));
	map();
	make_site(0, "first");
	make_site(PAGE, "second");
	for (unsigned i = 0; i < VCPUS; i++) {
		struct gt_ring *ring = &ram->vcpus[i].ring[0];

		ring->base_gva = GVA(rings) + (uint64_t)i * RING_BYTES;
		ring->mask = RING_BYTES - 1;
		ring->limit = 1;
		ring->block_bytes = BLOCK_BYTES;
	}
	ram->control = (struct gt_control){
		.magic = GT_CONTROL_MAGIC,
		.version = GT_ABI_VERSION,
		.size = sizeof(ram->control),
		.vcpus = VCPUS,
		.vcpus_gva = GVA(vcpus),
		.vcpu_bytes = sizeof(struct gt_vcpu),
		.sites_gva = GVA(sites),
		.sites_bytes = sizeof(ram->sites),
	};
	count = 0;
	for (unsigned i = 0; i < records; i++)
		record(i % VCPUS, i % 7 ? 0 : PAGE);
}

/* ---- What is found ------------------------------------------------------- */

static unsigned found;
static bool strange;

static int see(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_event_view *event)
{
	uint64_t number = event->fields[0].value.u64;

	(void)sink;
	(void)trace;
	strange |= number >= count || made[number].found;
	if (number < count)
		made[number].found = true;
	found++;
	return 0;
}

/* Refuses the scratch of a search once: it alone is made of single bytes. */
static bool refuses;
static uint64_t errors; /* as the last salvage has counted them */

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	errors = summary->losses.bad_requests;
	return 0;
}

void *__real_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size);

void *__wrap_calloc(size_t number, size_t size)
{
	if (!refuses || size != 1)
		return __real_calloc(number, size);
	refuses = false;
	return NULL;
}

static struct gt_missing salvage(void)
{
	struct gt_sink sink = {.event = see, .end = see_end};
	struct gt_sink *const sinks[] = {&sink};
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = process_memory_exit();
	struct gt_missing missing;

	options.sinks = sinks;
	options.has_holes = true;
	options.vcpus = VCPUS;
	options.memory_slots = 1;
	options.memory[0] = (struct gt_memory_slot){.bytes = sizeof(*ram),
	                                            .host = ram};
	exit.cr3 = 0;
	exit.r9 = GVA(control);
	exit.r10 = GT_DOORBELL_ANNOUNCE;
	found = 0;
	strange = false;
	for (unsigned i = 0; i < count; i++)
		made[i].found = false;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	assert_int_equal(
		gt_host_finish(inproc_host, GT_ENDING_UNKNOWN, 0, NULL), 0);
	gt_host_missing(inproc_host, &missing);
	gt_host_free(inproc_host);
	inproc_host = NULL;
	assert_false(strange);
	return missing;
}

static void take_page(size_t offset)
{
	ram->tables[3][offset / PAGE] = 0;
}

/* Whether a byte of it lies on a page of the ring that is not there. */
static bool is_gone(const struct made *one)
{
	size_t ring = offsetof(struct ram, rings) +
	              (size_t)one->vcpu * RING_BYTES;

	for (uint64_t at = one->pos; at < one->pos + one->bytes; at += 8)
		if (ram->tables[3][(ring + at % RING_BYTES) / PAGE] == 0)
			return true;
	return false;
}

static void expect_all_but_those_that_are_gone(void)
{
	unsigned expected = 0;

	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(made[i].found, !is_gone(&made[i]));
		expected += !is_gone(&made[i]);
	}
	assert_int_equal(found, expected);
}

static void a_missing_page_costs_what_lay_on_it(void **unused)
{
	(void)unused;
	make_guest(2400);
	assert_in_range(salvage().ring_bytes, 0, 0);
	assert_int_equal(found, count);
	assert_int_equal(errors, 0);
	for (unsigned page = 0; page < RING_BYTES / PAGE; page++) {
		struct gt_missing missing;
		bool used = page * PAGE < ram->vcpus[0].ring[0].pos;

		map();
		take_page(offsetof(struct ram, rings) + page * PAGE);
		missing = salvage();
		expect_all_but_those_that_are_gone();
		/* The records at its edges count as a whole. */
		if (used)
			assert_in_range(missing.ring_bytes, 8,
			                PAGE + 2 * 136);
		else
			assert_int_equal(missing.ring_bytes, 0);
		assert_int_equal(missing.vcpus + missing.sites_bytes, 0);
	}
}

static void any_pages_of_any_rings_may_be_missing(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 300; round++) {
		random64_state = round + 1;
		make_guest(1 + (unsigned)(random64() % 2600));
		for (unsigned i = 0; i < VCPUS * RING_BYTES / PAGE; i++)
			if (random64() % 8 < round % 8)
				take_page(offsetof(struct ram, rings) +
				          (size_t)i * PAGE);
		salvage();
		expect_all_but_those_that_are_gone();
	}
}

static void a_vcpu_that_is_missing_costs_no_other(void **unused)
{
	(void)unused;
	make_guest(1000);
	take_page(offsetof(struct ram, vcpus[1]));
	assert_int_equal(salvage().vcpus, 1);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(made[i].found, made[i].vcpu == 0);
}

static void sites_that_are_missing_cost_their_records(void **unused)
{
	unsigned expected = 0;

	(void)unused;
	make_guest(1000);
	take_page(offsetof(struct ram, sites) + PAGE);
	assert_int_equal(salvage().sites_bytes, PAGE);
	/* What is none costs the rest of its block. */
	for (unsigned i = 0; i < count; i++)
		expected += made[i].found;
	assert_true(expected > 0 && expected < count);
}

static int setup(void **unused)
{
	(void)unused;
	random64_state = 1;
	ram = aligned_alloc(PAGE, sizeof(*ram));
	return ram ? 0 : -1;
}

static int teardown(void **unused)
{
	free(ram);
	return inproc_teardown(unused);
}

static void a_lack_of_memory_is_counted_and_costs_one_ring(void **unused)
{
	(void)unused;
	make_guest(2400);
	take_page(offsetof(struct ram, rings) + 2 * PAGE);
	refuses = true;
	salvage();
	assert_false(refuses);
	assert_int_equal(errors, 1);
	for (unsigned i = 0; i < count; i++)
		assert_true(made[i].found == !is_gone(&made[i]) ||
		            made[i].vcpu == 0);
	salvage();
	assert_int_equal(errors, 0);
	expect_all_but_those_that_are_gone();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_missing_page_costs_what_lay_on_it),
		T(any_pages_of_any_rings_may_be_missing),
		T(a_vcpu_that_is_missing_costs_no_other),
		T(sites_that_are_missing_cost_their_records),
		T(a_lack_of_memory_is_counted_and_costs_one_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
