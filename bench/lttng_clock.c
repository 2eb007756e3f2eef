/* SPDX-License-Identifier: MIT */
/* A clock plugin for LTTng-UST: the TSC, as guesttrace reads it. */
#include <lttng/ust-clock.h>
#include <stdint.h>
#include <string.h>

static uint64_t read_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* Nominal: nothing is converted with it here. */
static uint64_t frequency_hz(void)
{
	return 1000000000;
}

static int uuid(char *text)
{
	memset(text, '0', LTTNG_UST_UUID_STR_LEN - 1);
	text[8] = text[13] = text[18] = text[23] = '-';
	text[LTTNG_UST_UUID_STR_LEN - 1] = '\0';
	return 0;
}

static const char *name(void)
{
	return "bench_tsc";
}

static const char *description(void)
{
	return "time stamp counter";
}

void lttng_ust_clock_plugin_init(void);

void lttng_ust_clock_plugin_init(void)
{
	lttng_ust_trace_clock_set_read64_cb(read_tsc);
	lttng_ust_trace_clock_set_freq_cb(frequency_hz);
	lttng_ust_trace_clock_set_uuid_cb(uuid);
	lttng_ust_trace_clock_set_name_cb(name);
	lttng_ust_trace_clock_set_description_cb(description);
	lttng_ust_enable_trace_clock_override();
}
