/* SPDX-License-Identifier: MIT */
/*
 * The command line and the environment: numbers, durations, sizes, limits and
 * options from any words. What is taken is in its bounds. The input: words, with
 * NULs between them.
 */
#include "cli/command.h"
#include "cli/limits.h"
#include "cli/options.h"
#include "cli/otlp_sampler.h"
#include "cli/otlp_settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define WORDS_MAX 16

static void check(bool good)
{
	if (!good)
		abort();
}

static const struct option_spec options[] = {
	{'o', "output", "FILE", "", NULL},
	{'q', NULL, NULL, "", NULL},
	{256, "limit", "NAME=VALUE", "", NULL},
	{257, "force", NULL, "", NULL},
	{0},
};

static int run_nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static const struct command_spec command = {.name = "fuzz",
                                            .operands = "",
                                            .what = "",
                                            .options = options,
                                            .run = run_nothing,
                                            .usage_status = 2};

static void try_arguments(int argc, char **argv)
{
	struct gt_limits limits = {0};
	int id;

	optind = 0; /* glibc: from the start */
	opterr = 0;
	while ((id = options_next(&command, argc, argv)) != -1) {
		check(id == 'o' || id == 'q' || id == 256 || id == 257 ||
		      id == OPTION_WRONG || id == OPTION_HELP);
		if (id == 'o' || id == 256)
			check(optarg != NULL);
		if (id == 256)
			limits_parse(&limits, optarg);
	}
	check(optind >= 1 && optind <= argc);
}

static void try_word(const char *word)
{
	static const char *const words[] = {"one", "two", "three", NULL};
	struct gt_limits limits = {0};
	unsigned index;
	uint64_t wide;
	uint32_t number;
	bool off;

	if (parse_duration("d", word, &wide))
		check(wide <= UINT64_C(1000000000000000000));
	if (parse_number("n", word, 5, 1000, &number))
		check(number >= 5 && number <= 1000 &&
		      (uint32_t)atol(word) == number);
	if (parse_count("c", word, 7, &number))
		check(number <= 7);
	if (parse_word("w", word, words, &index))
		check(strcmp(words[index], word) == 0);
	if (parse_switch("s", word, &off))
		check(strcmp(word, off ? "off" : "on") == 0);
	if (limits_parse_bytes("b", word, &wide))
		check(wide > 0);
	limits_parse(&limits, word);
}

static void try_environment(char *const *words, int count)
{
	static const char *const names[] = {
		"OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_TIMEOUT",
		"OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_TRACES_SAMPLER",
		"OTEL_TRACES_SAMPLER_ARG",
		"OTEL_BSP_SCHEDULE_DELAY",
		"OTEL_SPAN_EVENT_COUNT_LIMIT",
		"OTEL_SERVICE_NAME",
		"GUESTTRACE_SPOOL_MIB",
	};
	struct gt_sampler sampler;
	struct otlp_settings s;

	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		setenv(names[i], i < count ? words[i] : "", 1);
	sampler = otlp_sampler_read();
	check(sampler.dropped <= GT_SAMPLER_ALL);
	for (int signal = 0; signal < 3; signal++) {
		check(otlp_settings_read(&s, (enum gt_otlp_signal)signal,
		                         NULL) == 0);
		check(s.options.attribute_count <= OTLP_ATTRIBUTES_MAX &&
		      s.options.header_count <= OTLP_PAIRS_MAX);
		for (size_t i = 0; i < s.options.header_count; i++)
			check(gt_otlp_is_header(s.options.headers[i]));
		otlp_settings_free(&s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static char name[] = "fuzz";
	char *all = malloc(count + 1), *words[WORDS_MAX + 2] = {name};
	int argc = 1;

	check(all != NULL);
	if (count)
		memcpy(all, bytes, count);
	all[count] = '\0';
	for (size_t at = 0; at < count && argc <= WORDS_MAX;
	     at += strlen(all + at) + 1)
		words[argc++] = all + at;
	for (int i = 1; i < argc; i++)
		try_word(words[i]);
	try_environment(words + 1, argc - 1);
	try_arguments(argc, words);
	free(all);
	return 0;
}
