/* SPDX-License-Identifier: MIT */
#include "otlp_sampler.h"
#include "command.h"
#include "environment.h"

#include <stdlib.h>

enum root {
	ROOT_ALL,
	ROOT_NONE,
	ROOT_RATIO,
};

static const struct {
	const char *name;
	enum root root;
	bool ignores_parent;
} samplers[] = {
	{"always_on", ROOT_ALL, true},
	{"always_off", ROOT_NONE, true},
	{"traceidratio", ROOT_RATIO, true},
	{"parentbased_always_on", ROOT_ALL, false},
	{"parentbased_always_off", ROOT_NONE, false},
	{"parentbased_traceidratio", ROOT_RATIO, false},
};

static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && !environment_is_word(text, strlen(text), "") ? text
	                                                            : NULL;
}

/* 0 to 1, in digits as people write them. */
static bool read_ratio(const char *text, double *ratio)
{
	const char *end = text + strlen(text);
	char *behind;

	if (text[strspn(text, "0123456789.eE+- \t\n\v\f\r")])
		return false;
	*ratio = strtod(text, &behind);
	return behind > text && *ratio >= 0 && *ratio <= 1 &&
	       environment_is_word(behind, (size_t)(end - behind), "");
}

/* How many of 2^63 are dropped, by the specification's default none. */
static uint64_t dropped_by_ratio(void)
{
	const char *text = variable("OTEL_TRACES_SAMPLER_ARG");
	double ratio = 1;

	if (text && !read_ratio(text, &ratio)) {
		complain("OTEL_TRACES_SAMPLER_ARG wants a number from 0 to 1, "
		         "not '%s': 1 is taken",
		         text);
		ratio = 1;
	}
	return GT_SAMPLER_ALL - (uint64_t)(ratio * (double)GT_SAMPLER_ALL);
}

static uint64_t dropped_by(enum root root)
{
	switch (root) {
	case ROOT_ALL:
		return 0;
	case ROOT_NONE:
		return GT_SAMPLER_ALL;
	case ROOT_RATIO:
		break;
	}
	return dropped_by_ratio();
}

struct gt_sampler otlp_sampler_read(void)
{
	const char *text = variable("OTEL_TRACES_SAMPLER");

	for (size_t i = 0; text && i < sizeof(samplers) / sizeof(samplers[0]);
	     i++)
		if (environment_is_word(text, strlen(text), samplers[i].name))
			return (struct gt_sampler){
				.dropped = dropped_by(samplers[i].root),
				.ignores_parent = samplers[i].ignores_parent,
			};
	if (text)
		complain("OTEL_TRACES_SAMPLER: no '%s' here: "
		         "parentbased_always_on is taken",
		         text);
	return (struct gt_sampler){0};
}
