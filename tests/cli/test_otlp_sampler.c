/* SPDX-License-Identifier: MIT */
/*
 * OTEL_TRACES_SAMPLER and its argument, as the command understands them. What
 * the numbers are: by OpenTelemetry's SDK for Go, of 2^63 traces it samples
 * uint64(ratio * 2^63).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "cli/command.h"
#include "cli/otlp_sampler.h"

static unsigned complaints;

void complain(const char *format, ...)
{
	(void)format;
	complaints++;
}

static struct gt_sampler read_with(const char *sampler, const char *arg)
{
	clearenv();
	complaints = 0;
	if (sampler)
		setenv("OTEL_TRACES_SAMPLER", sampler, 1);
	if (arg)
		setenv("OTEL_TRACES_SAMPLER_ARG", arg, 1);
	return otlp_sampler_read();
}

static void expect(const char *sampler, const char *arg, uint64_t sampled,
                   uint32_t ignores_parent, unsigned said)
{
	struct gt_sampler got = read_with(sampler, arg);

	assert_int_equal((UINT64_C(1) << 63) - got.dropped, sampled);
	assert_int_equal(got.ignores_parent, ignores_parent);
	assert_int_equal(complaints, said);
}

#define ALL (UINT64_C(1) << 63)

static void each_sampler_has_its_word(void **unused)
{
	(void)unused;
	expect(NULL, NULL, ALL, 0, 0);
	expect("", NULL, ALL, 0, 0);
	expect("always_on", NULL, ALL, 1, 0);
	expect("always_off", NULL, 0, 1, 0);
	expect("traceidratio", NULL, ALL, 1, 0);
	expect("parentbased_always_on", NULL, ALL, 0, 0);
	expect("parentbased_always_off", NULL, 0, 0, 0);
	expect("parentbased_traceidratio", NULL, ALL, 0, 0);
	expect("  ParentBased_Always_OFF\t\n", NULL, 0, 0, 0);
	expect(" \t", "x", ALL, 0, 0);
}

static void the_argument_is_a_ratio(void **unused)
{
	static const struct {
		const char *text;
		uint64_t sampled;
	} ratios[] = {
		{"0", 0},
		{"1", ALL},
		{"", ALL},
		{" ", ALL},
		{"0.5", UINT64_C(0x4000000000000000)},
		{" 0.25\t", UINT64_C(0x2000000000000000)},
		{".75", UINT64_C(0x6000000000000000)},
		{"1e-3", UINT64_C(0x0020c49ba5e353f8)},
		{"0.1", UINT64_C(0x0ccccccccccccd00)},
		{"1E0", ALL},
		{"5e-324", 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		expect("traceidratio", ratios[i].text, ratios[i].sampled, 1, 0);
		expect("parentbased_traceidratio", ratios[i].text,
		       ratios[i].sampled, 0, 0);
	}
}

static void what_is_none_is_said_and_the_default_taken(void **unused)
{
	static const char *const ratios[] = {"-0.1",   "1.01", "half",
	                                     "0.5x",   "nan",  "inf",
	                                     "0x1p-1", "0,5",  "0.5 0.5"};
	static const char *const words[] = {
		"jaeger_remote", "on", "always_on,always_off", "parentbased_"};

	(void)unused;
	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++)
		expect("traceidratio", ratios[i], ALL, 1, 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		expect(words[i], "0.5", ALL, 0, 1);
	expect("always_on", "half", ALL, 1, 0); /* it has no argument */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sampler_has_its_word),
		cmocka_unit_test(the_argument_is_a_ratio),
		cmocka_unit_test(what_is_none_is_said_and_the_default_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
