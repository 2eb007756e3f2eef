/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool parse_level(struct gt_text word, enum gt_level *ret_level)
{
	static const char names[][6] = {"off",  "error", "warn",
	                                "info", "debug", "trace"};

	for (unsigned level = GT_OFF; level <= GT_TRACE; level++) {
		bool name =
			word.count == strlen(names[level]) &&
			strncasecmp(word.bytes, names[level], word.count) == 0;
		bool number =
			word.count == 1 && word.bytes[0] == (char)('0' + level);

		if (!name && !number)
			continue;
		*ret_level = (enum gt_level)level;
		return true;
	}
	return false;
}

static struct gt_text trim(struct gt_text word)
{
	while (word.count > 0 && word.bytes[0] == ' ') {
		word.bytes++;
		word.count--;
	}
	while (word.count > 0 && word.bytes[word.count - 1] == ' ')
		word.count--;
	return word;
}

static bool parse_directive(struct gt_text word,
                            struct gt__directive *ret_directive)
{
	const char *equals = memchr(word.bytes, '=', word.count);
	struct gt__directive directive = {.level = GT_TRACE};
	struct gt_text level;

	if (!equals && parse_level(word, &directive.level)) {
		*ret_directive = directive;
		return true;
	}
	directive.target = word;
	if (equals) {
		directive.target.count = (size_t)(equals - word.bytes);
		directive.target = trim(directive.target);
		level.bytes = equals + 1;
		level.count = word.count - (size_t)(level.bytes - word.bytes);
		if (!parse_level(trim(level), &directive.level))
			return false;
	}
	*ret_directive = directive;
	return directive.target.count > 0;
}

static uint32_t count_directives(const char *text)
{
	uint32_t count = 1;

	for (; *text && count <= GT__DIRECTIVES_MAX; text++)
		count += *text == ',';
	return count;
}

static int parse(const char *text, struct gt__filter *filter)
{
	for (uint32_t i = 0; i < filter->count; i++) {
		struct gt_text word = {text, strcspn(text, ",")};

		if (!parse_directive(trim(word), &filter->directives[i]))
			return -GT_ERROR_BAD_FILTER;
		text += word.count + 1;
	}
	return 0;
}

int gt__filter_new(const char *text, struct gt__filter **ret_filter)
{
	uint32_t count = count_directives(text);
	size_t text_bytes = strlen(text) + 1;
	struct gt__filter *filter;
	char *copy;
	int r;

	if (count > GT__DIRECTIVES_MAX)
		return -GT_ERROR_BAD_FILTER;
	filter = malloc(sizeof(*filter) + count * sizeof(*filter->directives) +
	                text_bytes);
	if (!filter)
		return -ENOMEM;
	filter->count = count;
	copy = (char *)&filter->directives[count];
	r = parse(memcpy(copy, text, text_bytes), filter);
	if (r < 0)
		free(filter);
	else
		*ret_filter = filter;
	return r;
}

static bool matches(struct gt_text directive, struct gt_text target)
{
	if (directive.count == 0)
		return true;
	if (directive.count > target.count ||
	    memcmp(directive.bytes, target.bytes, directive.count) != 0)
		return false;
	return directive.count == target.count ||
	       memchr(".:/", target.bytes[directive.count], 3) != NULL;
}

/* The longest match holds; of two equal ones, the later. */
bool gt__filter_admits(const struct gt__filter *filter,
                       const struct gt_site_view *site)
{
	const struct gt__directive *best = NULL;

	for (uint32_t i = 0; i < filter->count; i++) {
		const struct gt__directive *one = &filter->directives[i];

		if (matches(one->target, site->target) &&
		    (!best || one->target.count >= best->target.count))
			best = one;
	}
	return best && site->level <= best->level;
}
