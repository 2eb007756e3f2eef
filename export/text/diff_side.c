/* SPDX-License-Identifier: MIT */
#include "diff_side.h"
#include <string.h>

static int compare_text(struct gt_text a, struct gt_text b)
{
	size_t count = a.count < b.count ? a.count : b.count;
	int order = count ? memcmp(a.bytes, b.bytes, count) : 0;

	return order ? order : (a.count > b.count) - (a.count < b.count);
}

int gt__compare_names(const void *left, const void *right)
{
	const struct gt__name *a = left, *b = right;
	int order = compare_text(a->name, b->name);

	if (!order)
		order = compare_text(a->target, b->target);
	return order ? order : compare_text(a->by, b->by);
}

static void move_text(struct gt_text *text, char **to)
{
	if (text->count)
		memcpy(*to, text->bytes, text->count);
	text->bytes = *to;
	*to += text->count;
}

bool gt__keep_names(struct gt__side *side, const struct gt__collect *c)
{
	size_t bytes = (c->name_count + (size_t)1) * sizeof *side->names;
	char *texts;
	uint32_t i;

	for (i = 0; i < c->name_count; i++)
		bytes += c->names[i].name.count + c->names[i].target.count +
		         c->names[i].by.count;
	side->names = malloc(bytes);
	if (!side->names)
		return false;
	side->count = c->name_count;
	texts = (char *)(side->names + c->name_count + 1);
	for (i = 0; i < c->name_count; i++) {
		const struct gt__name *n = &c->names[i];
		struct gt__name *to = &side->names[i];

		*to = *n;
		to->split = NULL; /* the collector's */
		move_text(&to->name, &texts);
		move_text(&to->target, &texts);
		if (to->by.bytes)
			move_text(&to->by, &texts);
	}
	qsort(side->names, side->count, sizeof *side->names, gt__compare_names);
	return true;
}
