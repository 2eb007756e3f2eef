/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_word(struct gt_text word, const char *other)
{
	return word.count == strlen(other) &&
	       strncasecmp(word.bytes, other, word.count) == 0;
}

static bool parse_level(struct gt_text word, enum gt_level *ret_level)
{
	static const char names[][6] = {"off",  "error", "warn",
	                                "info", "debug", "trace"};

	for (unsigned level = GT_OFF; level <= GT_TRACE; level++) {
		bool number =
			word.count == 1 && word.bytes[0] == (char)('0' + level);

		if (!number && !is_word(word, names[level]) &&
		    !(level == GT_WARN && is_word(word, "warning")))
			continue;
		*ret_level = (enum gt_level)level;
		return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct gt_text trim(struct gt_text word)
{
	while (word.count > 0 && is_blank(word.bytes[0])) {
		word.bytes++;
		word.count--;
	}
	while (word.count > 0 && is_blank(word.bytes[word.count - 1]))
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

/* Takes what stands before the next comma; false at the end. */
static bool next_word(struct gt_text *rest, struct gt_text *ret_word)
{
	const char *comma;
	size_t count;

	if (!rest->bytes)
		return false;
	comma = rest->count ? memchr(rest->bytes, ',', rest->count) : NULL;
	count = comma ? (size_t)(comma - rest->bytes) : rest->count;
	*ret_word = trim((struct gt_text){rest->bytes, count});
	rest->bytes = comma ? comma + 1 : NULL;
	rest->count -= count + (comma ? 1 : 0);
	return true;
}

static size_t count_directives(struct gt_text text)
{
	struct gt_text word;
	size_t count = 0;

	while (next_word(&text, &word))
		count += word.count > 0;
	return count;
}

/* Empty ones mean nothing; a text of none is the default: everything. */
static int parse(struct gt_text text, struct gt__filter *filter)
{
	struct gt_text word;

	while (next_word(&text, &word))
		if (word.count > 0 &&
		    !parse_directive(word,
		                     &filter->directives[filter->count++]))
			return -GT_ERROR_BAD_FILTER;
	if (filter->count == 0)
		filter->directives[filter->count++].level = GT_TRACE;
	return 0;
}

int gt__filter_new(struct gt_text text, struct gt__filter **ret_filter)
{
	size_t count = count_directives(text);
	struct gt__filter *filter;
	char *copy;
	int r;

	if (count > GT__DIRECTIVES_MAX || text.count > GT__FILTER_BYTES_MAX)
		return -GT_ERROR_BAD_FILTER;
	filter = calloc(1, sizeof(*filter) +
	                           (count + 1) * sizeof(*filter->directives) +
	                           text.count + 1);
	if (!filter)
		return -ENOMEM;
	copy = (char *)&filter->directives[count + 1];
	if (text.count)
		memcpy(copy, text.bytes, text.count);
	r = parse((struct gt_text){copy, text.count}, filter);
	if (r < 0)
		free(filter);
	else
		*ret_filter = filter;
	return r;
}

int gt__filter_for(enum gt_wire wire, const char *text,
                   struct gt__filter **ret_filter)
{
	struct gt__filter *filter;
	int r = gt__filter_new((struct gt_text){text, strlen(text)}, &filter);

	for (uint32_t i = 0; r == 0 && i < filter->count; i++) {
		enum gt_level level = filter->directives[i].level;

		if (wire == GT_WIRE_NATIVE || level == GT_OFF ||
		    level == GT_TRACE)
			continue;
		free(filter);
		return -GT_ERROR_NO_LEVELS;
	}
	if (r == 0)
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

/* The longest match holds; of two equal ones, the later. NULL: none. */
static const struct gt__directive *find(const struct gt__filter *filter,
                                        struct gt_text target)
{
	const struct gt__directive *best = NULL;

	for (uint32_t i = 0; i < filter->count; i++) {
		const struct gt__directive *one = &filter->directives[i];

		if (matches(one->target, target) &&
		    (!best || one->target.count >= best->target.count))
			best = one;
	}
	return best;
}

bool gt__filter_admits(const struct gt__filter *filter,
                       const struct gt_site_view *site)
{
	const struct gt__directive *best = find(filter, site->target);

	return best && site->level <= best->level;
}

bool gt__filter_mutes(const struct gt__filter *filter, struct gt_text target)
{
	const struct gt__directive *best = find(filter, target);

	return !best || best->level == GT_OFF;
}

bool gt__filter_mutes_all(const struct gt__filter *filter)
{
	for (uint32_t i = 0; i < filter->count; i++)
		if (filter->directives[i].level != GT_OFF)
			return false;
	return true;
}

/* ---- For who would know before there is a host --------------------------- */

int gt_filter_check(enum gt_wire wire, const char *text,
                    int (*show)(void *context, struct gt_text target),
                    void *context)
{
	struct gt__filter *filter;
	int r = gt__filter_for(wire, text, &filter);

	if (r < 0)
		return r;
	for (uint32_t i = 0; show && r == 0 && i < filter->count; i++)
		if (filter->directives[i].target.count > 0)
			r = show(context, filter->directives[i].target);
	free(filter);
	return r;
}

bool gt_filter_admits(const char *text, const struct gt_site_view *site)
{
	struct gt__filter *filter;
	bool admits;

	if (gt__filter_for(GT_WIRE_NATIVE, text, &filter) < 0)
		return false;
	admits = gt__filter_admits(filter, site);
	free(filter);
	return admits;
}
