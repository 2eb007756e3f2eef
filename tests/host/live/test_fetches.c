/* SPDX-License-Identifier: MIT */
/*
 * Memory that changes while the host reads it (threats A8, B8). All of its
 * fetches come by here: they are counted for each byte, and what was fetched is
 * spoiled at once, so that a second look would see something else.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"
#include "tests/support/random64.h"

#include <guesttrace/batch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static unsigned char fetches[sizeof(struct ram)];
static size_t spoiled_from, spoiled_to; /* of the ram */
static uint64_t fetch_count, spoils_at; /* the fetch behind which `spoil` is */
static void (*spoil)(void);

static int fetch(void *host, uint64_t offset, void *to, size_t count)
{
	uint8_t *at = (uint8_t *)host + offset;

	assert_true(offset <= sizeof(*ram) && count <= sizeof(*ram) - offset);
	memcpy(to, at, count);
	for (size_t i = 0; i < count; i++) {
		if (fetches[offset + i] < UINT8_MAX)
			fetches[offset + i]++;
		if (offset + i >= spoiled_from && offset + i < spoiled_to)
			at[i] = (uint8_t)~at[i];
	}
	if (fetch_count++ == spoils_at)
		spoil();
	return 0;
}

static int store(void *host, uint64_t offset, const void *from, size_t count)
{
	assert_true(offset <= sizeof(*ram) && count <= sizeof(*ram) - offset);
	memcpy((uint8_t *)host + offset, from, count);
	return 0;
}

/* In which order words are fetched at once, and in how many calls. */
static uint64_t gathered[64];
static size_t gathered_count, gather_calls;

static int fetch_words(void *host, const uint64_t *offsets, uint64_t *words,
                       size_t count)
{
	assert_in_range(count, 1, GT_MEMORY_WORDS_MAX);
	gather_calls++;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(offsets[i] % 8, 0);
		if (gathered_count < sizeof(gathered) / sizeof(*gathered))
			gathered[gathered_count++] = offsets[i];
		fetch(host, offsets[i], &words[i], sizeof(*words));
	}
	return 0;
}

static const struct gt_memory_access one_by_one = {fetch, store, NULL};
static const struct gt_memory_access at_once = {fetch, store, fetch_words};
static const struct gt_memory_access *counted;

static void start(enum gt_wire wire)
{
	struct gt_host_options options = inproc_options();

	options.wire = wire;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.memory[0].access = counted;
	inproc_clear();
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
}

static int setup(void **state)
{
	counted = *state;
	gathered_count = gather_calls = 0;
	bare_new();
	bare_init();
	spoiled_from = spoiled_to = 0;
	spoils_at = UINT64_MAX;
	return 0;
}

static int teardown(void **unused)
{
	bare_free();
	return inproc_teardown(unused);
}

static int ring(uint64_t operation)
{
	struct gt_exit exit = bare_exit(operation, GVA(control));

	memset(fetches, 0, sizeof(fetches));
	return gt_host_exit(inproc_host, 0, &exit);
}

static void spoil_all_of(size_t offset, size_t count)
{
	spoiled_from = offset;
	spoiled_to = offset + count;
}

static void expect_fetches(size_t offset, size_t count, unsigned times)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fetches[offset + i], times);
}

static void each_byte_of_a_record_is_fetched_once(void **unused)
{
	const size_t at = offsetof(struct ram, ring);
	uint64_t taken = 0;

	(void)unused;
	start(GT_WIRE_NATIVE);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	spoil_all_of(at, sizeof(ram->ring));
	for (unsigned records = 1; records < 200; records++) {
		uint64_t bytes = 16 * (uint64_t)records;

		inproc_clear();
		for (unsigned i = 0; i < records; i++)
			bare_record(&ram->vcpu);
		assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
		for (uint64_t i = 0; i < 4096; i++)
			assert_int_equal(fetches[at + ((taken + i) & 4095)],
			                 i < bytes);
		expect_fetches(at + 4096, 4096, 0);
		for (unsigned i = 0; i < records; i++)
			assert_memory_equal(inproc_text() + 16 * i,
			                    "event honest <0\n", 16);
		taken += bytes;
	}
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.events, 199 * 200 / 2);
	assert_int_equal(inproc_summary.losses.bad_records, 0);
}

static void a_site_is_fetched_once(void **unused)
{
	const size_t at = offsetof(struct ram, site);
	const size_t count = sizeof(ram->site) + sizeof(ram->site_text);
	unsigned char all[sizeof(ram->site) + sizeof(ram->site_text)] = {0};

	(void)unused;
	start(GT_WIRE_NATIVE);
	spoil_all_of(at, count);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	for (unsigned i = 0; i < 5; i++) {
		for (size_t j = 0; j < count; j++)
			all[j] = (unsigned char)(all[j] + fetches[at + j]);
		bare_record(&ram->vcpu);
		assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	}
	for (size_t j = 0; j < count; j++)
		assert_int_equal(all[j], 1);
	assert_non_null(strstr(inproc_text(), "event honest <0\n"));
}

static void a_control_block_is_fetched_once(void **unused)
{
	const size_t at = offsetof(struct ram, control);

	(void)unused;
	start(GT_WIRE_NATIVE);
	spoil_all_of(at, sizeof(ram->control));
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	for (size_t i = 0; i < sizeof(ram->control); i++)
		assert_true(fetches[at + i] <= 1);
	bare_record(&ram->vcpu);
	assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
}

/* Into the ring, whose place any other is as good as. */
static size_t make_batch(void)
{
	struct gt_batch batch;
	struct gt_draft draft;

	gt_batch_init(&batch, GT_WIRE_HYPERLIGHT_0_12, ram->ring,
	              sizeof(ram->ring), 0);
	gt_batch_begin(&draft, &batch, GT_BATCH_LOG, 1);
	gt_draft_name(&draft, "honest", 6);
	gt_draft_field(&draft, "key", 3, "value", 5);
	assert_true(gt_draft_end(
		&draft, &(struct gt_batch_numbers){.tsc = ++inproc_now}));
	return gt_batch_finish(&batch, 0);
}

static void each_byte_of_a_batch_is_fetched_once(void **unused)
{
	const size_t at = offsetof(struct ram, ring);
	struct gt_exit exit = bare_exit(0, GVA(ring));

	(void)unused;
	start(GT_WIRE_HYPERLIGHT_0_12);
	exit.r8 = GT_BATCH_MAGIC;
	exit.r10 = make_batch();
	memset(fetches, 0, sizeof(fetches));
	spoil_all_of(at, sizeof(ram->ring));
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	expect_fetches(at, exit.r10, 1);
	expect_fetches(at + exit.r10, sizeof(ram->ring) - exit.r10, 0);
	assert_string_equal(inproc_text(), "event honest <0 key=value\n");
}

/* ---- Words that the host looks at more than once ------------------------- */

static void spoil_a_word(void)
{
	uint8_t *words[] = {(uint8_t *)&ram->vcpu, (uint8_t *)&ram->control,
	                    (uint8_t *)ram->tables};
	const size_t bytes[] = {offsetof(struct gt_vcpu, ring[2]),
	                        sizeof(ram->control), sizeof(ram->tables)};
	unsigned which = (unsigned)(random64() % 3);
	uint64_t word = random64() >> (random64() & 63);

	memcpy(words[which] + random64() % (bytes[which] / 8) * 8, &word, 8);
}

static void spoil_some_words(void)
{
	for (unsigned i = 0; i < 8; i++)
		spoil_a_word();
}

/* At each fetch of all that a flush fetches, and what comes after is good. */
static void words_that_change_between_two_looks_are_harmless(void **unused)
{
	unsigned refused = 0, all = 1;

	(void)unused;
	spoil = spoil_some_words;
	for (uint64_t round = 0; round < 6000; round++) {
		start(GT_WIRE_NATIVE);
		bare_init();
		fetch_count = 0;
		/* The first round counts them. */
		spoils_at = round == 0 ? UINT64_MAX : (round - 1) % all;
		ring(GT_DOORBELL_ANNOUNCE);
		bare_record(&ram->vcpu);
		refused += ring(GT_DOORBELL_FLUSH) < 0;
		gt_host_drain(inproc_host);
		if (round == 0)
			all = (unsigned)fetch_count;
		spoils_at = UINT64_MAX;
		bare_init();
		assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
		inproc_clear();
		bare_record(&ram->vcpu);
		assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
		assert_string_equal(inproc_text(), "event honest <0\n");
		assert_int_equal(
			gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
			0);
		assert_true(inproc_summary.record_bytes <=
		            4 * sizeof(ram->ring));
		gt_host_free(inproc_host);
		inproc_host = NULL;
	}
	print_message("# %u fetches, %u refused\n", all, refused);
	assert_true(all > 100 && refused > 100);
}

static uint64_t offset_of(const void *member)
{
	return (uint64_t)((const uint8_t *)member - (const uint8_t *)ram);
}

/* As the order of stores in guest/ring.c wants it: docs/architecture.md. */
static void a_look_is_one_call_and_has_limits_before_positions(void **unused)
{
	uint64_t expected[3 * GT_LEVELS + 2];
	size_t count = 0;

	(void)unused;
	start(GT_WIRE_NATIVE);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	bare_record(&ram->vcpu);
	gathered_count = gather_calls = 0;
	assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	for (unsigned level = GT_LEVELS; level-- > 0;) {
		const struct gt_ring *one = &ram->vcpu.ring[level];

		if (one->base_gva == 0)
			continue;
		expected[count++] = offset_of(&one->limit);
		expected[count++] = offset_of(&one->pos);
		expected[count++] = offset_of(&one->lost);
	}
	expected[count++] = offset_of(&ram->vcpu.lost);
	expected[count++] = offset_of(&ram->vcpu.cut);
	assert_int_equal(gather_calls, 1);
	assert_int_equal(gathered_count, count);
	assert_memory_equal(gathered, expected, count * sizeof(*expected));
	assert_string_equal(inproc_text(), "event honest <0\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define WITH(name, access)                         \
	{#name " " #access, name, setup, teardown, \
	 (void *)(uintptr_t) & (access)}
#define T(name) WITH(name, one_by_one), WITH(name, at_once)
		T(each_byte_of_a_record_is_fetched_once),
		T(a_site_is_fetched_once),
		T(a_control_block_is_fetched_once),
		T(each_byte_of_a_batch_is_fetched_once),
		T(words_that_change_between_two_looks_are_harmless),
		WITH(a_look_is_one_call_and_has_limits_before_positions,
	             at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
