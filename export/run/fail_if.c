/* SPDX-License-Identifier: MIT */
#include "fail_if.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum metric {
	TOTAL,
	SELF,
	COUNT,
	AVG,
	P50,
	P99,
	MAX,
	GUEST,
	EXITS,
	METRICS,
};

static const char *const words[METRICS] = {
	[TOTAL] = "total", [SELF] = "self",   [COUNT] = "count",
	[AVG] = "avg",     [P50] = "p50",     [P99] = "p99",
	[MAX] = "max",     [GUEST] = "guest", [EXITS] = "exits",
};

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

int gt__fail_if_read(const char *text, struct gt__fail_if *ret,
                     const char **ret_why)
{
	const char *at = skip_blanks(text);
	char *end;

	*ret = (struct gt__fail_if){.metric = METRICS};
	for (unsigned i = 0; i < METRICS; i++)
		if (strncmp(at, words[i], strlen(words[i])) == 0)
			ret->metric = i;
	*ret_why = "it begins with total, self, count, avg, p50, p99, max, "
		   "guest or exits";
	if (ret->metric == METRICS)
		return -EINVAL;
	at = skip_blanks(at + strlen(words[ret->metric]));
	*ret_why = "> or < is missing";
	if (*at != '>' && *at != '<')
		return -EINVAL;
	ret->less = *at == '<';
	at = skip_blanks(at + 1);
	*ret_why = "it ends with a percentage such as +5%";
	ret->percent = strtod(at, &end);
	if (end == at || !strchr("+-0123456789.", *at) ||
	    strcmp(skip_blanks(end), "%") != 0 ||
	    !(ret->percent > -1e9 && ret->percent < 1e9))
		return -EINVAL;
	*ret_why = NULL;
	return 0;
}

static uint64_t value_of(const struct gt__kept *kept, unsigned metric)
{
	switch ((enum metric)metric) {
	case TOTAL:
		return kept->name.total_ns;
	case SELF:
		return kept->name.self_ns;
	case COUNT:
		return kept->name.count;
	case AVG:
		return kept->name.avg_ns;
	case P50:
		return kept->name.p50_ns;
	case P99:
		return kept->name.p99_ns;
	case MAX:
		return kept->name.max_ns;
	case GUEST:
		return kept->guest_ns;
	case EXITS:
		return kept->exits_ns;
	case METRICS:
		break;
	}
	return 0;
}

bool gt__fails(const struct gt__fail_if *bound, const struct gt__change *change)
{
	double before, after, percent;

	if (!change->before || !change->after)
		return false;
	if ((bound->metric == P50 || bound->metric == AVG) &&
	    change->verdict != GT__SLOWER && change->verdict != GT__FASTER)
		return false;
	before = (double)value_of(change->before, bound->metric);
	after = (double)value_of(change->after, bound->metric);
	if (before <= 0)
		return after > 0 && !bound->less;
	percent = (after - before) * 100 / before;
	return bound->less ? percent < bound->percent
	                   : percent > bound->percent;
}

int gt_fail_if_check(const char *fail_if, const char **ret_why)
{
	struct gt__fail_if bound;

	return gt__fail_if_read(fail_if, &bound, ret_why);
}
