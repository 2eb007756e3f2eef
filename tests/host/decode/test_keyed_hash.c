/* SPDX-License-Identifier: MIT */
/*
 * The hash of all tables whose keys a guest chooses, and the host's tables: who
 * knows all but its key gains nothing (threat D10).
 */
#include "host/decode/interned.h"
#include "host/spans/contexts.h"
#include "tests/support/allocated.h"
#include "tests/support/chosen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WORD UINT64_C(0x0123456789abcdef)

/*
 * What CPython 3.11 makes of WORD's bytes and the first of TEXT's, by its own
 * SipHash-1-3, under PYTHONHASHSEED=7 and thus under this key.
 */
static const struct gt__hash_key python = {UINT64_C(0x12c874a1806f0e3d),
                                           UINT64_C(0x470a89d2f9d2784f)};
static const char TEXT[] = "The quick brown fox jumps";
static const struct {
	size_t count;
	uint64_t hash;
} expected[] = {
	{0, UINT64_C(0x1da0f0a51d993d0d)},  {1, UINT64_C(0x0e15361ff9caa893)},
	{2, UINT64_C(0xeaa65eb320418567)},  {3, UINT64_C(0x1352f627a0833258)},
	{4, UINT64_C(0x64c28e25999d855b)},  {5, UINT64_C(0xa506b216619e2bca)},
	{6, UINT64_C(0x1f769001ea3ba95c)},  {7, UINT64_C(0x948e10fabb7f7dc5)},
	{8, UINT64_C(0xda8a360663bbdbf6)},  {9, UINT64_C(0x46664aed6efb03df)},
	{16, UINT64_C(0xe7e98263dc9f9910)}, {17, UINT64_C(0xe7563c6d0f99b734)},
	{25, UINT64_C(0x56d31ff3a45ff173)},
};

static void the_hash_is_siphash_1_3(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		assert_true(gt__hash_bytes(&python, WORD, TEXT,
		                           expected[i].count) ==
		            expected[i].hash);
	assert_true(gt__hash_word(&python, WORD) == expected[0].hash);
	assert_true(gt__hash_words(&python, WORD, 42) ==
	            UINT64_C(0x0e63e08f8511aa79));
}

static char command[4096];

/* Another process has another key: of two, one differs, but for 2^-64. */
static void the_key_is_the_processes_own(void **unused)
{
	struct gt__hash_key one = gt__hash_key(), again = gt__hash_key();
	struct gt__hash_key other;
	FILE *child = popen(command, "r");

	(void)unused;
	assert_true(one.k0 == again.k0 && one.k1 == again.k1);
	assert_true(one.k0 != one.k1);
	assert_non_null(child);
	assert_int_equal(fread(&other, sizeof(other), 1, child), 1);
	pclose(child);
	assert_true(one.k0 != other.k0 && one.k1 != other.k1);
}

/* ---- Names --------------------------------------------------------------- */

#define NAMES 2000u

static struct gt_text names[NAMES];

/* FNV-1a of a span's target, which is empty, and name, each with an end. */
static uint64_t fnv_of_site(struct gt_text name)
{
	uint64_t hash = CHOSEN_FNV ^ GT_SITE_SPAN;

	hash = (hash ^ 0x100) * CHOSEN_FNV_PRIME;
	hash = chosen_fnv(hash, name.bytes, name.count);
	return (hash ^ 0x100) * CHOSEN_FNV_PRIME;
}

static void intern_names(void *unused)
{
	struct gt__interned interned;
	bool crowded;

	(void)unused;
	gt__interned_init(&interned, 16 << 20);
	for (unsigned round = 0; round < 10; round++)
		for (unsigned i = 0; i < NAMES; i++)
			assert_non_null(gt__interned_site(
				&interned, GT_SITE_SPAN,
				(struct gt_text){"", 0}, names[i], &crowded));
	assert_int_equal(interned.count, NAMES);
	gt__interned_fini(&interned);
}

/* Threat D9. */
static void a_million_names_cost_what_they_may(void **unused)
{
	const size_t most = 1 << 20;
	size_t before = allocated_bytes();
	struct gt__interned interned;
	unsigned crowded = 0, named = 0;
	char name[16];

	(void)unused;
	gt__interned_init(&interned, most);
	for (unsigned i = 0; i < 1000000; i++) {
		struct gt_text text = {
			name, (size_t)snprintf(name, sizeof(name), "%u", i)};
		const struct gt__site *site;
		bool is_crowded;

		site = gt__interned_site(&interned, GT_SITE_SPAN, text, text,
		                         &is_crowded);
		assert_non_null(site);
		crowded += is_crowded;
		named += site->view.name.count == text.count &&
		         !memcmp(site->view.name.bytes, name, text.count);
	}
	assert_int_equal(crowded + named, 1000000);
	assert_true(named > 1000);
	/* At least a quarter of the table is used; two places are counted. */
	assert_true(allocated_bytes() - before <=
	            most + (named + 2) * (2 * sizeof(void *) +
	                                  (size_t)ALLOCATION_BYTES));
	gt__interned_fini(&interned);
}

static void chosen_names_cost_what_others_cost(void **unused)
{
	uint64_t honest_ns;

	(void)unused;
	chosen_texts(names, NAMES, fnv_of_site, 0);
	honest_ns = cpu_fastest_ns(intern_names, NULL);
	chosen_texts(names, NAMES, fnv_of_site, 4095);
	assert_true(cpu_within(intern_names, NULL, 2 * honest_ns));
}

/* ---- Contexts ------------------------------------------------------------ */

static uint64_t stride;

static void get_contexts(void *unused)
{
	struct gt__contexts contexts;

	(void)unused;
	gt__contexts_init(&contexts, 4096, 4096, gt__hash_key());
	for (unsigned round = 0; round < 20; round++)
		for (uint32_t vcpu = 0; vcpu < 1024; vcpu++)
			gt__context_get(&contexts, vcpu, vcpu * stride);
	assert_int_equal(contexts.count, 1024);
	gt__contexts_fini(&contexts);
}

/* The vCPU was above bit 48 of what was hashed: under any key the same. */
static void chosen_contexts_cost_what_others_cost(void **unused)
{
	uint64_t honest_ns;

	(void)unused;
	stride = 1;
	honest_ns = cpu_fastest_ns(get_contexts, NULL);
	stride = UINT64_C(1) << 48;
	assert_true(cpu_within(get_contexts, NULL, 2 * honest_ns));
}

static int print_key(void)
{
	struct gt__hash_key key = gt__hash_key();

	return fwrite(&key, sizeof(key), 1, stdout) != 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_siphash_1_3),
		cmocka_unit_test(the_key_is_the_processes_own),
		cmocka_unit_test(a_million_names_cost_what_they_may),
		cmocka_unit_test(chosen_names_cost_what_others_cost),
		cmocka_unit_test(chosen_contexts_cost_what_others_cost),
	};

	if (argc > 1)
		return print_key();
	snprintf(command, sizeof(command), "exec '%s' key", argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
