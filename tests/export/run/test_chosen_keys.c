/* SPDX-License-Identifier: MIT */
/*
 * Tables of the exporters whose keys a guest or a file chooses: keys that
 * collide under any hash that is no secret cost what others cost (threat D10).
 */
#include "export/ctf/ctf.h"
#include "export/out/keys.h"
#include "export/run/collect.h"
#include "export/run/lanes.h"
#include "tests/support/allocated.h"
#include "tests/support/chosen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct gt_site_view step_site = {.name = {"step", 4}};

/* The other ids are as wide, and random. */
static uint64_t id_of(uint32_t i, bool chosen)
{
	uint64_t product = i + UINT64_C(1);

	if (!chosen)
		product =
			product * UINT64_C(0xff51afd7ed558ccd) ^ product << 40;
	return chosen_id(product);
}

static void expect_same(cpu_work *work)
{
	bool chosen = false;
	uint64_t honest_ns = cpu_fastest_ns(work, &chosen);

	chosen = true;
	assert_true(cpu_within(work, &chosen, 2 * honest_ns));
}

/* ---- Ids ----------------------------------------------------------------- */

#define IDS 20000u

static void collect_ids(void *context)
{
	struct gt__collect *c = calloc(1, sizeof *c);
	const bool chosen = *(const bool *)context;

	assert_non_null(c);
	for (uint32_t i = 0; i < IDS; i++) {
		struct gt_span_view span = {
			.id = id_of(i, chosen),
			.parent_id = i ? id_of(i / 2, chosen) : 0,
			.start_ns = i,
			.end_ns = i + 10,
			.sequence = i + 1,
			.site = &step_site,
		};

		assert_int_equal(gt__collect_span(c, &span), 0);
	}
	assert_int_equal(gt__collect_build(c), 0);
	gt__collect_free(c);
}

static void the_collector_finds_chosen_ids_as_fast(void **unused)
{
	(void)unused;
	expect_same(collect_ids);
}

static void open_ids(void *context)
{
	const bool chosen = *(const bool *)context;
	struct gt__lanes lanes = {0};
	uint32_t index;

	for (uint32_t i = 0; i < IDS; i++) {
		struct gt_span_view span = {
			.id = id_of(i, chosen),
			.start_ns = i,
			.sequence = i + 1,
			.site = &step_site,
			.entered = true,
		};

		assert_int_equal(gt__lanes_open(&lanes, &span, &index), 0);
	}
	for (uint32_t i = 0; i < IDS; i++)
		assert_int_not_equal(gt__lanes_find(&lanes, id_of(i, chosen)),
		                     GT__NONE);
	gt__lanes_fini(&lanes);
}

static void lanes_find_chosen_ids_as_fast(void **unused)
{
	(void)unused;
	expect_same(open_ids);
}

/* ---- Texts --------------------------------------------------------------- */

#define TEXTS 2000u

static struct gt_text chosen_names[TEXTS], other_names[TEXTS];

static uint64_t fnv_of_key(struct gt_text text)
{
	return chosen_fnv(CHOSEN_FNV, text.bytes, text.count);
}

/* Below the run, whose frame has the number 0. */
static uint64_t fnv_of_frame(struct gt_text text)
{
	const uint32_t parent = 0;

	return chosen_fnv(chosen_fnv(CHOSEN_FNV, &parent, sizeof parent),
	                  text.bytes, text.count);
}

/* Once more the same, for others than those that are chosen afterwards. */
static void make_names(uint64_t (*hash_of)(struct gt_text))
{
	static char bytes[TEXTS][CHOSEN_BYTES];

	chosen_texts(other_names, TEXTS, hash_of, 0);
	for (unsigned i = 0; i < TEXTS; i++) {
		memcpy(bytes[i], other_names[i].bytes, CHOSEN_BYTES);
		other_names[i].bytes = bytes[i];
	}
	chosen_texts(chosen_names, TEXTS, hash_of, 4095);
}

/* A key without a place near its own got no number. */
static void chosen_keys_all_have_numbers(void **unused)
{
	struct gt__keys keys = {0};
	uint32_t number;

	(void)unused;
	make_names(fnv_of_key);
	for (uint32_t i = 0; i < TEXTS; i++) {
		assert_int_equal(
			gt__keys_number(&keys, chosen_names[i], &number), 0);
		assert_int_equal(number, i + 1);
	}
	gt__keys_fini(&keys);
}

static int discard(void *context, const void *bytes, size_t count)
{
	(void)context;
	(void)bytes;
	(void)count;
	return 0;
}

static void fold_names(void *context)
{
	const struct gt_text *names =
		*(const bool *)context ? chosen_names : other_names;
	static struct gt_site_view sites[TEXTS];
	const struct gt_output output = {.write = discard};
	const struct gt_trace trace = {.vcpus = 1};
	const struct gt_summary summary = {.spans = TEXTS, .end_ns = TEXTS};
	struct gt_sink *sink;

	assert_int_equal(gt_folded_new(&output, &sink), 0);
	assert_int_equal(sink->begin(sink, &trace), 0);
	for (uint32_t i = 0; i < 4 * TEXTS; i++) {
		struct gt_span_view span = {
			.id = i + 1,
			.start_ns = i,
			.end_ns = i + 1,
			.sequence = i + 1,
			.site = &sites[i % TEXTS],
		};

		sites[i % TEXTS].name = names[i % TEXTS];
		assert_int_equal(sink->close(sink, &trace, &span), 0);
	}
	assert_int_equal(sink->end(sink, &trace, &summary), 0);
	sink->free(sink);
}

static void chosen_names_fold_as_fast(void **unused)
{
	(void)unused;
	make_names(fnv_of_frame);
	expect_same(fold_names);
}

/* ---- CTF's classes: a site with different fields has several --------------
 */

#define FIELDED 4000u

static struct gt_text fields_names[2][FIELDED];

static uint64_t fnv_of_class(struct gt_text key)
{
	const struct gt_site_view *site = &step_site;
	enum gt__ctf_kind kind = 0;
	enum gt_type type = GT_TYPE_U64;
	uint64_t hash = chosen_fnv(CHOSEN_FNV, &site, sizeof site);

	hash = chosen_fnv(hash, &kind, sizeof kind);
	hash = chosen_fnv(hash, &type, sizeof type);
	hash = chosen_fnv(hash, key.bytes, key.count);
	return (uint32_t)hash; /* folding must not change it */
}

static void class_fields(void *context)
{
	const struct gt_text *names = fields_names[*(const bool *)context];
	const struct gt_output memory = {.write = discard};
	struct gt__ctf_classes classes = {.key = gt__hash_key()};
	uint32_t id;

	gt__out_init(&classes.metadata, &memory);
	gt__out_init(&classes.keys, &memory);
	for (unsigned i = 0; i < 8 * FIELDED; i++) {
		struct gt_field field = {.key = names[i % FIELDED],
		                         .type = GT_TYPE_U64};

		assert_int_equal(
			gt__ctf_class(&classes, 0, &step_site, &field, 1, &id),
			0);
	}
	gt__ctf_classes_fini(&classes);
}

static void chosen_fields_are_classed_as_fast(void **unused)
{
	static char bytes[FIELDED][CHOSEN_BYTES];

	(void)unused;
	chosen_texts(fields_names[0], FIELDED, fnv_of_class, 0);
	for (unsigned i = 0; i < FIELDED; i++) {
		memcpy(bytes[i], fields_names[0][i].bytes, CHOSEN_BYTES);
		fields_names[0][i].bytes = bytes[i];
	}
	chosen_texts(fields_names[1], FIELDED, fnv_of_class, 1023);
	expect_same(class_fields);
}

/* ---- Keys by address ----------------------------------------------------- */

/* Two long keys at addresses that share a place among the recent ones. */
static void a_key_is_kept_once_however_it_comes(void **unused)
{
	static char text[1 << 16];
	struct gt__collect *c = calloc(1, sizeof *c);
	size_t before = allocated_bytes();

	(void)unused;
	assert_non_null(c);
	memset(text, 'k', sizeof text);
	text[0] = 'a';
	text[4096] = 'b';
	for (uint32_t i = 0; i < 2000; i++) {
		const struct gt_field field = {
			.key = {text + i % 2 * 4096, 32768},
			.type = GT_TYPE_U64};
		struct gt_span_view span = {
			.id = i + 1,
			.sequence = i + 1,
			.site = &step_site,
			.fields = &field,
			.field_count = 1,
		};

		assert_int_equal(gt__collect_span(c, &span), 0);
	}
	assert_true(allocated_bytes() - before < (size_t)4 << 20);
	gt__collect_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_collector_finds_chosen_ids_as_fast),
		cmocka_unit_test(lanes_find_chosen_ids_as_fast),
		cmocka_unit_test(chosen_keys_all_have_numbers),
		cmocka_unit_test(chosen_names_fold_as_fast),
		cmocka_unit_test(chosen_fields_are_classed_as_fast),
		cmocka_unit_test(a_key_is_kept_once_however_it_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
