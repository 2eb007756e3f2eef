/* SPDX-License-Identifier: MIT */
#include "filter_hints.h"
#include "command.h"
#include "elf_sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_MAX       5u    /* targets that are named */
#define COMPARED_BYTES 64u   /* of each */
#define TARGETS_MAX    1024u /* of a guest; of more nothing is said */

struct target {
	char *name;
	unsigned distance;
};

struct hints {
	const char *filter;
	const char *guest;
	struct target *targets; /* of the guest, each once */
	size_t count;
	bool is_partial; /* there are more */
	size_t sites_on; /* of all its sites */
	bool wants_some; /* some target is on, if not at the site's level */
	bool has_complained;
};

bool filter_is_good(const char *filter, enum gt_wire wire)
{
	int r = gt_filter_check(wire, filter, NULL, NULL);

	if (r < 0)
		complain("--filter '%s': %s", filter, code_text(r));
	return r == 0;
}

static bool is_on(const char *filter, struct gt_text target,
                  enum gt_level level)
{
	const struct gt_site_view site = {.target = target, .level = level};

	return gt_filter_admits(filter, &site);
}

static struct gt_text text_of(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

/* ---- The guest's targets ------------------------------------------------- */

static void add_target(struct hints *hints, struct gt_text target)
{
	bool was_partial = hints->is_partial;
	struct target *targets;
	char *name;

	for (size_t i = 0; i < hints->count; i++)
		if (strlen(hints->targets[i].name) == target.count &&
		    memcmp(hints->targets[i].name, target.bytes,
		           target.count) == 0)
			return;
	hints->is_partial = true;
	if (hints->count == TARGETS_MAX)
		return;
	targets =
		realloc(hints->targets, (hints->count + 1) * sizeof(*targets));
	if (!targets)
		return;
	hints->targets = targets;
	name = strndup(target.bytes, target.count);
	if (!name)
		return;
	targets[hints->count++].name = name;
	hints->is_partial = was_partial;
}

static int see_site(void *context, const struct gt_site_view *site,
                    enum gt_site_kind kind)
{
	struct hints *hints = context;

	if (kind == GT_SITE_FIELDS)
		return 0; /* it has its span's */
	add_target(hints, site->target);
	hints->sites_on += gt_filter_admits(hints->filter, site);
	hints->wants_some |= is_on(hints->filter, site->target, GT_ERROR);
	return 0;
}

/* ---- Which are near ------------------------------------------------------ */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

/* Levenshtein's: characters added, left out and replaced. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[COMPARED_BYTES + 1];
	size_t width = strnlen(b, COMPARED_BYTES);
	size_t height = strnlen(a, COMPARED_BYTES);

	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; i < height; i++) {
		unsigned diagonal = row[0]++;

		for (size_t j = 0; j < width; j++) {
			unsigned above = row[j + 1];

			row[j + 1] = least(above + 1, row[j] + 1,
			                   diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[width];
}

static int compare(const void *left, const void *right)
{
	const struct target *a = left, *b = right;

	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void complain_of(struct hints *hints, const char *target)
{
	char list[512] = "";
	size_t used = 0, i;

	for (i = 0; i < hints->count; i++)
		hints->targets[i].distance =
			distance(target, hints->targets[i].name);
	qsort(hints->targets, hints->count, sizeof(*hints->targets), compare);
	for (i = 0; i < hints->count && i < NEAR_MAX; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		                         "%s%.64s", i ? ", " : "",
		                         hints->targets[i].name);
	complain("--filter: no call site of %s has the target '%s'; near are: "
	         "%s%s",
	         hints->guest, target, list, i < hints->count ? ", ..." : "");
	hints->has_complained = true;
}

static int see_directive(void *context, struct gt_text target)
{
	struct hints *hints = context;
	char *alone = NULL, *name = strndup(target.bytes, target.count);
	bool is_known = false;

	/* With a level, so that no word is taken for one. */
	if (name && asprintf(&alone, "%s=trace", name) < 0)
		alone = NULL;
	for (size_t i = 0; alone && i < hints->count && !is_known; i++)
		is_known =
			is_on(alone, text_of(hints->targets[i].name), GT_ERROR);
	if (alone && !is_known)
		complain_of(hints, name);
	free(alone);
	free(name);
	return 0;
}

void filter_hints(const char *filter, const char *guest, char *image,
                  size_t bytes)
{
	struct hints hints = {.filter = filter, .guest = guest};

	elf_sites_in(image, bytes, see_site, &hints);
	if (hints.count > 0 && !hints.is_partial)
		gt_filter_check(GT_WIRE_NATIVE, filter, see_directive, &hints);
	if (hints.count == 0)
		complain("--filter '%s': %s has no section gt_sites: which "
		         "call sites it has is not known",
		         filter, guest);
	if (!hints.has_complained && hints.wants_some && hints.sites_on == 0)
		complain("--filter '%s': no call site of %s has such a level: "
		         "nothing is recorded",
		         filter, guest);
	for (size_t i = 0; i < hints.count; i++)
		free(hints.targets[i].name);
	free(hints.targets);
}
