/* SPDX-License-Identifier: MIT */
/*
 * Filters, as a user or another program writes them, beside a second reading of
 * what host.h says of them. The input: u8 level of a site, u8 bytes of its
 * target, the target, the filter.
 */
#include <guesttrace/host.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define DIRECTIVES_MAX 64
#define BLANKS         " \t\n\v\f\r"

/* ---- The model: works on a copy, with the functions of C ------------------ */

static char *trim(char *word)
{
	size_t length;

	word += strspn(word, BLANKS);
	length = strlen(word);
	while (length > 0 && strchr(BLANKS, word[length - 1]))
		word[--length] = '\0';
	return word;
}

/* -1: it is none. */
static int level_of(const char *word)
{
	static const char *const words[] = {
		"off", "error", "warn", "info", "debug", "trace", "warning"};

	if (word[0] >= '0' && word[0] <= '5' && !word[1])
		return word[0] - '0';
	for (int i = 0; i < 7; i++)
		if (strcasecmp(word, words[i]) == 0)
			return i == 6 ? 2 : i;
	return -1;
}

static bool is_above(const char *target, const struct gt_text *whole)
{
	size_t length = strlen(target);

	if (length == 0)
		return true;
	if (length > whole->count || memcmp(target, whole->bytes, length) != 0)
		return false;
	return length == whole->count || whole->bytes[length] == '.' ||
	       whole->bytes[length] == ':' || whole->bytes[length] == '/';
}

/* -1: the filter is none; else whether it switches the site on. */
static int model(char *filter, const struct gt_site_view *site)
{
	size_t best_length = 0, count = 0;
	int best = -1;
	char *word;

	while ((word = strsep(&filter, ","))) {
		char *equals, *target = word;
		int level;

		word = trim(word);
		if (!*word)
			continue;
		count++;
		equals = strchr(word, '=');
		level = equals ? level_of(trim(equals + 1)) : level_of(word);
		target = equals || level < 0 ? word : word + strlen(word);
		if (equals) {
			*equals = '\0';
			target = trim(target);
			if (level < 0 || !*target)
				return -1;
		}
		if (level < 0)
			level = GT_TRACE;
		if (is_above(target, &site->target) &&
		    (best < 0 || strlen(target) >= best_length)) {
			best = level;
			best_length = strlen(target);
		}
	}
	if (count > DIRECTIVES_MAX)
		return -1;
	if (count == 0)
		best = GT_TRACE;
	return best >= (int)site->level;
}

/* ---- Both ---------------------------------------------------------------- */

static int count_target(void *context, struct gt_text target)
{
	++*(unsigned *)context;
	if (target.count == 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt_site_view site = {.level = GT_INFO};
	size_t target = count > 1 && bytes[1] < count - 1 ? bytes[1] : 0;
	unsigned targets = 0;
	char *filter;
	int want, r;

	if (count < 2 || count - target > 65536)
		return 0;
	site.level = (enum gt_level)(GT_ERROR + bytes[0] % 5);
	site.target = (struct gt_text){(const char *)bytes + 2, target};
	filter = strndup((const char *)bytes + 2 + target, count - 2 - target);
	if (!filter)
		abort();
	r = gt_filter_check(GT_WIRE_NATIVE, filter, count_target, &targets);
	if (gt_filter_check(GT_WIRE_HYPERLIGHT_0_12, filter, NULL, NULL) == 0 &&
	    r < 0)
		abort();
	want = (int)gt_filter_admits(filter, &site);
	if (r < 0 ? want : targets > DIRECTIVES_MAX)
		abort();
	if (model(filter, &site) != (r < 0 ? -1 : want))
		abort();
	free(filter);
	return 0;
}
