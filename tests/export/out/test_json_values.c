/* SPDX-License-Identifier: MIT */
/* Values and keys of fields in JSON: exact, and no key that another writer has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/words.h"
#include "tests/support/random64.h"
#include "tests/support/synthetic.h"

static struct gt__out new_out(void)
{
	struct gt_output none = {0};
	struct gt__out out;

	gt__out_init(&out, &none);
	return out;
}

static void expect(struct gt__out *o, const char *want)
{
	assert_int_equal(o->used, strlen(want));
	assert_memory_equal(o->bytes, want, o->used);
	o->used = 0;
}

static void numbers_come_back_equal(void **state)
{
	static const double values[] = {
		0.1, 1e300, -2.5, 5e-324, 1.0 / 3, 0, 123456789.123456789};
	struct gt_field field = {.type = GT_TYPE_F64, .value.f64 = NAN};
	struct gt__out o = new_out();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof values / sizeof *values; i++) {
		o.used = 0;
		gt__put_f64(&o, values[i]);
		gt__put_char(&o, '\0');
		assert_true(strtod(o.bytes, NULL) - values[i] == 0);
	}
	o.used = 0;
	gt__put_json_value(&o, &field, false);
	expect(&o, "\"NaN\"");
	field.value.f64 = -INFINITY;
	gt__put_json_value(&o, &field, false);
	expect(&o, "\"-Infinity\"");
	gt__put_i64(&o, INT64_MIN);
	expect(&o, "-9223372036854775808");
	gt__put_u64(&o, UINT64_MAX);
	expect(&o, "18446744073709551615");
	gt__put_pointer(&o, 0);
	expect(&o, "0x0");
	gt__put_pointer(&o, UINT64_MAX);
	expect(&o, "0xffffffffffffffff");
	gt__put_base64(&o, "fooba", 5);
	expect(&o, "Zm9vYmE=");
	gt__out_fini(&o);
}

static void c20_the_hosts_keys_are_not_a_guests(void **state)
{
	struct gt__out o = new_out();

	(void)state;
	gt__put_json_guest_key(&o, syn_text("guesttrace.guest_id"));
	expect(&o, "\"guest.guesttrace.guest_id\"");
	gt__put_json_guest_key(&o, syn_text("service.name"));
	expect(&o, "\"guest.service.name\"");
	gt__put_json_guest_key(&o, syn_text("code.file.path"));
	expect(&o, "\"guest.code.file.path\"");
	gt__put_json_guest_key(&o, syn_text("guesttracer"));
	expect(&o, "\"guesttracer\"");
	gt__put_json_guest_key(&o, syn_text(""));
	expect(&o, "\"guest.\"");
	/* Or the ones above could be had by another name. */
	gt__put_json_guest_key(&o, syn_text("guest."));
	expect(&o, "\"guest.guest.\"");
	gt__put_json_guest_key(&o, syn_text("guest.service.name"));
	expect(&o, "\"guest.guest.service.name\"");
	gt__out_fini(&o);
}

/* Of 2,000 fields with 100 keys, the last of each, in their order. */
static void of_many_equal_keys_the_last_one_is_in_an_object(void **state)
{
	static struct gt_field fields[2000];
	static char keys[2000][8];
	struct gt__out got = new_out(), want = new_out();
	size_t i, counts[] = {2, 64, 65, 2000}, of;

	(void)state;
	for (i = 0; i < 2000; i++) {
		snprintf(keys[i], sizeof keys[i], "%zu", i * i % 100);
		fields[i] = (struct gt_field){.key = syn_text(keys[i]),
		                              .type = GT_TYPE_U64,
		                              .value.u64 = i};
	}
	fields[1].key = fields[0].key;
	for (of = 0; of < sizeof counts / sizeof *counts; of++) {
		size_t j, count = counts[of];

		got.used = want.used = 0;
		gt__put_json_members(&got, fields, count, false);
		for (i = 0; i < count; i++) {
			for (j = i + 1; j < count; j++)
				if (!strcmp(fields[i].key.bytes,
				            fields[j].key.bytes))
					break;
			if (j < count)
				continue;
			gt__put(&want, want.used ? ",\"" : "\"");
			gt__put(&want, fields[i].key.bytes);
			gt__put(&want, "\":");
			gt__put_u64(&want, i);
		}
		assert_int_equal(got.used, want.used);
		assert_memory_equal(got.bytes, want.bytes, want.used);
	}
	gt__out_fini(&got);
	gt__out_fini(&want);
}

/* What printf says, where 15 digits are enough, and else what comes back. */
static void numbers_of_few_digits_are_those_of_printf(void **state)
{
	struct gt__out o = new_out();
	char want[64];

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		double value = (double)(int64_t)(random64() >> i % 60) /
		               pow(10, i % 9);

		if (i % 3 == 0)
			value = nextafter(value, i % 2 ? 0 : 1e9);
		if (i % 5 == 0)
			value = -value;
		snprintf(want, sizeof want, "%.15g", value);
		o.used = 0;
		gt__put_f64(&o, value);
		gt__put_char(&o, '\0');
		if (strtod(want, NULL) - value == 0)
			assert_string_equal(o.bytes, want);
		else
			assert_true(strtod(o.bytes, NULL) - value == 0);
	}
	gt__out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back_equal),
		cmocka_unit_test(numbers_of_few_digits_are_those_of_printf),
		cmocka_unit_test(c20_the_hosts_keys_are_not_a_guests),
		cmocka_unit_test(
			of_many_equal_keys_the_last_one_is_in_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
