/* SPDX-License-Identifier: MIT */
/* Site tables as a hostile guest would write them (threats C, H). */
#include "tests/support/cpu_time.h"
#include "tests/support/site_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static unsigned sum(struct gt_text text)
{
	unsigned all = (unsigned)text.count;

	for (size_t i = 0; i < text.count; i++)
		all += (uint8_t)text.bytes[i];
	return all;
}

/* Reads every byte that the table shows; ASan sees those that are not its. */
static unsigned look_at_all(const struct gt__sites *parsed)
{
	unsigned all = 0;

	for (uint32_t i = 0; i < parsed->count; i++) {
		const struct gt__site *site = &parsed->sites[i];

		all += sum(site->view.name) + sum(site->view.target) +
		       sum(site->view.file);
		for (uint32_t j = 0; j < site->field_count; j++)
			all += sum(site->fields[j].key) +
			       (unsigned)site->fields[j].type;
		assert_ptr_equal(gt__sites_find(parsed, LOW(site->offset)),
		                 site);
	}
	return all;
}

static void expect_text(struct gt_text text, const char *expected)
{
	assert_int_equal(text.count, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.count);
}

static void a_site_says_what_its_text_says(void **unused)
{
	const struct gt__site *site = gt__sites_find(sites, LOW(event));

	(void)unused;
	assert_int_equal(sites->count, 5);
	expect_text(site->view.name, "ev");
	expect_text(site->view.target, "tgt");
	expect_text(site->view.file, "f.c");
	assert_int_equal(site->view.line, 200);
	assert_int_equal(site->view.level, GT_INFO);
	assert_int_equal(site->kind, GT_SITE_EVENT);
	assert_int_equal(site->field_count, 3);
	assert_int_equal(site->fields[1].type, GT_TYPE_STRING);
	expect_text(site->fields[1].key, "s");
	expect_text(gt__sites_find(sites, LOW(late))->view.name, "");
}

static void only_the_start_of_a_site_is_found(void **unused)
{
	unsigned found = 0;

	(void)unused;
	for (uint32_t at = 0; at < 8192; at++)
		found += gt__sites_find(sites, LOW(at)) != NULL;
	assert_int_equal(found, 5);
	for (uint32_t at = 1; at < 4096; at++)
		assert_null(gt__sites_find(sites, LOW(0u - at)));
	assert_null(gt__sites_find(sites, LOW(0x80000000u)));
}

static void a_table_may_lie_around_4_gib(void **unused)
{
	struct gt__sites *parsed;

	(void)unused;
	assert_int_equal(gt__sites_new(table, table_bytes,
	                               UINT64_C(0xfffffffc0), &parsed),
	                 0);
	assert_non_null(gt__sites_find(parsed, 0xffffffc0u));
	assert_non_null(gt__sites_find(parsed, 0xffffffc0u + words));
	assert_true(0xffffffc0u + words < 4096); /* it did wrap */
	gt__sites_free(parsed);
}

static void a_table_cut_anywhere_keeps_its_whole_sites(void **unused)
{
	(void)unused;
	for (size_t count = 0; count <= table_bytes; count++) {
		struct gt__sites *parsed = parse(table, count);
		unsigned whole = 0;

		for (uint32_t i = 0; i < sites->count; i++) {
			uint32_t at = sites->sites[i].offset;
			uint16_t size;

			memcpy(&size, table + at + 4, 2);
			whole += at + size <= count;
		}
		assert_int_equal(parsed->count, whole);
		look_at_all(parsed);
		gt__sites_free(parsed);
	}
}

/* Threat C1. */
static void any_byte_of_a_table_may_be_anything(void **unused)
{
	uint64_t all = 0;

	(void)unused;
	for (size_t at = 0; at < table_bytes; at++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t before = table[at];
			struct gt__sites *parsed;

			table[at] = (uint8_t)value;
			parsed = parse(table, table_bytes);
			assert_in_range(parsed->count, 1, 5);
			all += look_at_all(parsed);
			gt__sites_free(parsed);
			table[at] = before;
		}
	assert_true(all > 0);
}

/* Parses the last site alone; true: it is one. */
static bool is_good(uint32_t at)
{
	struct gt__sites *parsed = parse(table + at, table_bytes - at);
	bool good = parsed->count == 1;

	look_at_all(parsed);
	gt__sites_free(parsed);
	table_bytes = at;
	return good;
}

static void what_is_no_site_is_skipped(void **unused)
{
	static const char many[] = "n\0t\0f\0u1\0u2\0u3\0u4\0u5\0u6\0u7\0u8\0"
				   "u9\0ua\0ub\0uc\0ud\0ue\0uf\0ug\0uh";
	static const char letters[] = "uifbsxp^&@.!";
	uint32_t at;

	(void)unused;
	assert_true(is_good(SITE(GT_SITE_EVENT, 16, many)));
	assert_false(is_good(SITE(GT_SITE_EVENT, 17, many)));
	assert_false(is_good(SITE(GT_SITE_EVENT, 255, many)));
	assert_false(is_good(SITE(0, 0, "n\0t\0f")));
	assert_false(is_good(SITE(5, 0, "n\0t\0f")));
	assert_false(is_good(SITE(GT_SITE_EVENT, 0, "n\0t")));
	assert_false(is_good(SITE(GT_SITE_EVENT, 1, "n\0t\0f")));
	assert_false(
		is_good(SITE(GT_SITE_EVENT, 1, "n\0t\0f\0"))); /* no type */
	for (unsigned letter = 1; letter < 256; letter++) {
		char text[] = "n\0t\0f\0?k";

		text[6] = (char)letter;
		assert_int_equal(is_good(SITE(GT_SITE_EVENT, 1, text)),
		                 strchr(letters, (int)letter) != NULL);
	}
	at = SITE(GT_SITE_EVENT, 0, "n\0t\0f");
	table[at + sizeof(struct gt_site) + 5] = 'x'; /* no NUL at the end */
	assert_false(is_good(at));
	at = SITE(GT_SITE_EVENT, 0, "n\0t\0f");
	table[at + 2] = GT_TRACE + 1;
	assert_false(is_good(at));
	for (unsigned size = 0; size < 65536; size += size < 64 ? 1 : 4093) {
		at = SITE(GT_SITE_EVENT, 0, "n\0t\0f");
		memcpy(table + at + 4, &(uint16_t){(uint16_t)size}, 2);
		assert_int_equal(is_good(at), size >= 22 && size <= 24);
	}
}

/* Threat C13. */
static void text_becomes_valid_utf8(void **unused)
{
	struct gt__sites *parsed;
	uint32_t at;

	(void)unused;
	at = SITE(GT_SITE_EVENT, 1, "\xff\xfe\0\xc3\xa9\0\xed\xa0\x80\0s\xc3");
	parsed = parse(table + at, table_bytes - at);
	assert_int_equal(parsed->count, 1);
	expect_text(parsed->sites[0].view.name, "\xef\xbf\xbd\xef\xbf\xbd");
	expect_text(parsed->sites[0].view.target, "\xc3\xa9");
	expect_text(parsed->sites[0].fields[0].key, "\xef\xbf\xbd");
	look_at_all(parsed);
	gt__sites_free(parsed);
}

/* One head inside the text of another is text; equal sites are two. */
static void sites_do_not_overlap(void **unused)
{
	struct gt__sites *parsed;
	uint32_t at = (uint32_t)table_bytes, inner;

	(void)unused;
	SITE(GT_SITE_EVENT, 0,
	     "n\0t\0"
	     "f..............................");
	inner = at + 24;
	memcpy(table + inner, table + words, 32);
	parsed = parse(table + at, table_bytes - at);
	assert_int_equal(parsed->count, 1);
	gt__sites_free(parsed);
	table_bytes = at;
	SITE(GT_SITE_EVENT, 0, "n\0t\0f");
	SITE(GT_SITE_EVENT, 0, "n\0t\0f");
	parsed = parse(table + at, table_bytes - at);
	assert_int_equal(parsed->count, 2);
	gt__sites_free(parsed);
}

/* Heads in each other's text. */
static void fill_with_bad_sites(uint8_t *bytes, size_t count)
{
	struct gt_site head = {
		.kind = GT_SITE_EVENT,
		.level = GT_INFO,
		.size = 65528,
		.magic = GT_SITE_MAGIC,
		.line = 0x41414141,
	};

	memset(bytes, 'A', count);
	for (size_t at = 0; at + sizeof(head) <= count; at += sizeof(head)) {
		memcpy(bytes + at, &head, sizeof(head));
		bytes[at] = 'A';
		bytes[at + 3] = 16; /* the fields are never all there */
		bytes[at + 6] = bytes[at + 7] = 'A';
		bytes[at + 12] = at % 32768 ? 'A' : 0; /* a NUL now and then */
	}
}

struct part {
	const uint8_t *bytes;
	size_t count;
};

static void parse_part(void *context)
{
	const struct part *part = context;
	struct gt__sites *parsed = parse(part->bytes, part->count);

	assert_int_equal(parsed->count, 0);
	gt__sites_free(parsed);
}

/* Threat C8: no byte may be text often. Eight times as much takes eight times
 * as long; sixty-four times where each head reads on to the end. */
static void a_table_of_bad_sites_takes_linear_time(void **unused)
{
	size_t count = (size_t)4 << 20;
	uint8_t *bytes = calloc(1, count);
	struct part all = {bytes, count}, eighth = {bytes, count / 8};

	(void)unused;
	fill_with_bad_sites(bytes, count);
	assert_true(cpu_within(parse_part, &all,
	                       24 * cpu_fastest_ns(parse_part, &eighth)));
	free(bytes);
}

/* Threat D9. */
static void tables_out_of_bounds_are_refused(void **unused)
{
	struct gt__sites *parsed = NULL;

	(void)unused;
	assert_int_equal(gt__sites_new(table, GT_SITES_BYTES_MAX + 1u,
	                               TABLE_GVA, &parsed),
	                 -GT_ERROR_BAD_SITES);
	for (unsigned off = 1; off < 8; off++)
		assert_int_equal(
			gt__sites_new(table, 64, TABLE_GVA + off, &parsed),
			-GT_ERROR_BAD_SITES);
	assert_null(parsed);
	parsed = parse(table, 0);
	assert_int_equal(parsed->count, 0);
	assert_null(gt__sites_find(parsed, LOW(0)));
	gt__sites_free(parsed);
	gt__sites_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) \
	cmocka_unit_test_setup_teardown(name, table_setup, table_teardown)
		T(a_site_says_what_its_text_says),
		T(only_the_start_of_a_site_is_found),
		T(a_table_may_lie_around_4_gib),
		T(a_table_cut_anywhere_keeps_its_whole_sites),
		T(any_byte_of_a_table_may_be_anything),
		T(what_is_no_site_is_skipped),
		T(text_becomes_valid_utf8),
		T(sites_do_not_overlap),
		T(a_table_of_bad_sites_takes_linear_time),
		T(tables_out_of_bounds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
