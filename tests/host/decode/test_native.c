/* SPDX-License-Identifier: MIT */
/* Records as a hostile guest would write them (threats C, H). */
#include "host/decode/native.h"
#include "tests/support/site_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t record[32];
static size_t record_bytes;

static void begin(uint32_t site, enum gt_record_kind kind)
{
	record[0] = site | (uint64_t)kind << 48;
	record[1] = 777;
	record_bytes = GT_RECORD_BYTES;
}

static void word(uint64_t value)
{
	record[record_bytes / 8] = value;
	record_bytes += 8;
}

static void text(uint32_t stored, uint32_t full)
{
	word(stored | (uint64_t)full << 32);
	memset((uint8_t *)record + record_bytes, 'y', (stored + 7u) & ~7u);
	record_bytes += (stored + 7u) & ~7u;
}

/* One good record of each kind, in turn; false: there is no such one. */
static bool make(unsigned number)
{
	switch (number) {
	case 0:
		begin(LOW(event), GT_RECORD_EVENT);
		word(5);
		text(9, 9);
		text(0, 20);
		break;
	case 1:
		begin(LOW(span), GT_RECORD_SPAN);
		word(52);
		text(8, 8);
		break;
	case 2:
		begin(LOW(late), GT_RECORD_FIELDS);
		word(52);
		word(1);
		break;
	case 3:
		begin(LOW(counter), GT_RECORD_COUNTER);
		word(1);
		word(2);
		break;
	case 4:
		begin(LOW(words), GT_RECORD_EVENT);
		break;
	case 5:
		begin(0, GT_RECORD_SYNC);
		for (unsigned i = 0; i < 4; i++)
			word(i);
		break;
	case 6:
		begin(0, GT_RECORD_SWITCH);
		word(7);
		word(8);
		break;
	case 7:
		begin(0, GT_RECORD_CLOSE);
		word(52);
		break;
	case 8:
		begin(0, GT_RECORD_ABANDON);
		break;
	case 9:
		begin(0, GT_RECORD_PAD);
		break;
	default:
		return false;
	}
	record[0] |= (uint64_t)(record_bytes / 8) << 32;
	return true;
}

/* From a block that ends where the bytes end, or ASan says so. */
static size_t read_copy(const void *bytes, size_t count)
{
	uint8_t *block = malloc(count + !count);
	struct gt__record got = {.kind = GT_RECORD_ABANDON};
	struct gt__value value;
	size_t length, at = 0;

	memcpy(block, bytes, count);
	length = gt__record_read(sites, block, count, &got);
	assert_true(length <= count && length % 8 == 0);
	for (uint32_t i = 0; length && got.site && i < got.site->field_count;
	     i++) {
		size_t one =
			gt__value_read(got.site->fields[i].type, got.body + at,
		                       got.body_bytes - at, &value);

		assert_true(one <= got.body_bytes - at);
		assert_true(value.stored_bytes <= value.full_bytes);
		assert_true(value.stored_bytes <= one);
		at += one;
	}
	if (length && got.site)
		assert_int_equal(at, got.body_bytes);
	free(block);
	return length;
}

static void a_record_reads_as_it_was_written(void **unused)
{
	struct gt__record got;

	(void)unused;
	for (unsigned i = 0; make(i); i++) {
		size_t length = gt__record_read(sites, (uint8_t *)record,
		                                sizeof(record), &got);

		assert_int_equal(length, record_bytes);
		assert_int_equal(got.kind, GT_RECORD_KIND(record[0]));
		assert_int_equal(got.tsc, i == 9 ? 0 : 777);
		assert_int_equal(got.id, i == 2 || i == 7 ? 52 : 0);
		assert_int_equal(got.site != NULL, i < 5);
	}
}

/* Threats C1, H2. */
static void a_record_cut_anywhere_is_none(void **unused)
{
	(void)unused;
	for (unsigned i = 0; make(i); i++) {
		for (size_t count = 0; count < record_bytes; count++)
			assert_int_equal(read_copy(record, count), 0);
		assert_int_equal(read_copy(record, record_bytes), record_bytes);
	}
}

/* Threat C1. */
/* What a record claims is its length or nothing: all words, all kinds. */
static void any_byte_of_a_record_may_be_anything(void **unused)
{
	unsigned good = 0, bad = 0;

	(void)unused;
	for (unsigned i = 0; make(i); i++)
		for (size_t at = 0; at < record_bytes; at++)
			for (unsigned value = 0; value < 256; value++) {
				uint8_t *byte = (uint8_t *)record + at;
				uint8_t before = *byte;

				*byte = (uint8_t)value;
				if (read_copy(record, record_bytes))
					good++;
				else
					bad++;
				*byte = before;
			}
	assert_true(good > 10000 && bad > 1000);
}

static void a_record_of_an_unknown_kind_is_none(void **unused)
{
	(void)unused;
	for (unsigned kind = GT_RECORD_ABANDON + 1; kind < 256; kind++)
		for (unsigned i = 0; make(i); i++) {
			record[0] &= ~(UINT64_C(0xff) << 48);
			record[0] |= (uint64_t)kind << 48;
			assert_int_equal(read_copy(record, record_bytes), 0);
		}
}

/* Threat H2. */
/* A head alone is a pad or nothing; kinds without values have one length. */
static void a_record_of_the_wrong_length_is_none(void **unused)
{
	(void)unused;
	for (unsigned i = 0; make(i); i++) {
		bool pad = GT_RECORD_KIND(record[0]) == GT_RECORD_PAD;

		record[0] &= ~(UINT64_C(0xffff) << 32);
		assert_int_equal(read_copy(record, record_bytes), 0);
		record[0] |= UINT64_C(1) << 32;
		assert_int_equal(read_copy(record, 8), pad ? 8 : 0);
		make(i);
		word(0);
		record[0] += UINT64_C(1) << 32;
		assert_int_equal(read_copy(record, record_bytes),
		                 pad ? record_bytes : 0);
	}
}

/* Even where the values are the same: none. */
static void a_record_of_a_site_of_another_kind_is_none(void **unused)
{
	static const enum gt_record_kind kinds[] = {
		GT_RECORD_EVENT, GT_RECORD_COUNTER, GT_RECORD_OPEN,
		GT_RECORD_SPAN, GT_RECORD_FIELDS};
	static const unsigned wanted[] = {GT_SITE_EVENT, GT_SITE_COUNTER,
	                                  GT_SITE_SPAN, GT_SITE_SPAN,
	                                  GT_SITE_FIELDS};
	uint32_t at[GT_SITE_COUNTER + 1] = {0};

	(void)unused;
	for (unsigned kind = GT_SITE_EVENT; kind <= GT_SITE_COUNTER; kind++)
		at[kind] = SITE(kind, 0, "n\0t\0f");
	gt__sites_free(sites);
	sites = parse(table, table_bytes);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned kind = 1; kind <= GT_SITE_COUNTER; kind++) {
			begin(LOW(at[kind]), kinds[i]);
			if (kinds[i] == GT_RECORD_FIELDS)
				word(52);
			record[0] |= (uint64_t)(record_bytes / 8) << 32;
			assert_int_equal(read_copy(record, record_bytes) != 0,
			                 kind == wanted[i]);
		}
}

static void a_record_of_the_wrong_site_is_none(void **unused)
{
	const uint32_t all[] = {event, span, late, counter, words};

	(void)unused;
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 5; j++) {
			make(i);
			record[0] = (record[0] & ~UINT64_C(0xffffffff)) |
			            LOW(all[j]);
			assert_int_equal(read_copy(record, record_bytes) != 0,
			                 i == j);
		}
}

/* Threat C12. */
static void a_text_is_no_longer_than_its_record(void **unused)
{
	static const uint32_t lengths[] = {
		0, 1, 8, 9, 16, 17, 0x7fffffff, 0xfffffff8u, 0xffffffffu};
	uint8_t *block = malloc(24);
	struct gt__value value;

	(void)unused;
	for (unsigned i = 0; i < 9; i++)
		for (unsigned j = 0; j < 9; j++) {
			uint64_t head = lengths[i] | (uint64_t)lengths[j] << 32;
			bool good =
				lengths[i] <= 16 && lengths[i] <= lengths[j];

			memcpy(block, &head, 8);
			assert_int_equal(gt__value_read(GT_TYPE_STRING, block,
			                                24, &value),
			                 good ? 8 + ((lengths[i] + 7) & ~7u)
			                      : SIZE_MAX);
		}
	assert_int_equal(gt__value_read(GT_TYPE_U64, block, 7, &value),
	                 SIZE_MAX);
	assert_int_equal(gt__value_read(GT_TYPE_OK, block, 0, &value), 0);
	free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) \
	cmocka_unit_test_setup_teardown(name, table_setup, table_teardown)
		T(a_record_reads_as_it_was_written),
		T(a_record_cut_anywhere_is_none),
		T(any_byte_of_a_record_may_be_anything),
		T(a_record_of_an_unknown_kind_is_none),
		T(a_record_of_the_wrong_length_is_none),
		T(a_record_of_a_site_of_another_kind_is_none),
		T(a_record_of_the_wrong_site_is_none),
		T(a_text_is_no_longer_than_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
