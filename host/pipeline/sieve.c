/* SPDX-License-Identifier: MIT */
#include "sieve.h"

#include <search.h>
#include <stdlib.h>

struct muted {
	uint64_t id;
	uint64_t parent; /* that passes; 0: none */
};

static int compare(const void *left, const void *right)
{
	const struct muted *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

void gt__sieve_forget(struct gt__sieve *sieve)
{
	tdestroy(sieve->muted, free);
	sieve->muted = NULL;
	sieve->count = 0;
}

void gt__sieve_fini(struct gt__sieve *sieve)
{
	gt__sieve_forget(sieve);
	free(sieve->filter);
	*sieve = (struct gt__sieve){.filter = NULL};
}

void gt__sieve_set(struct gt__sieve *sieve, struct gt__filter *filter)
{
	free(sieve->filter);
	sieve->filter = filter;
}

static struct muted *find(const struct gt__sieve *sieve, uint64_t id)
{
	struct muted key = {.id = id}, *const * found;

	found = sieve->count ? tfind(&key, &sieve->muted, compare) : NULL;
	return found ? *found : NULL;
}

static bool forget(struct gt__sieve *sieve, uint64_t id)
{
	struct muted *muted = find(sieve, id);

	if (!muted)
		return false;
	tdelete(muted, &sieve->muted, compare);
	free(muted);
	sieve->count--;
	return true;
}

static void remember(struct gt__sieve *sieve, uint64_t id, uint64_t parent)
{
	struct muted *muted =
		sieve->count < sieve->count_max ? malloc(sizeof(*muted)) : NULL;

	if (!muted)
		return;
	*muted = (struct muted){id, parent};
	if (tsearch(muted, &sieve->muted, compare))
		sieve->count++;
	else
		free(muted);
}

static bool passes_open(struct gt__sieve *sieve,
                        struct gt_hyperlight_event *event)
{
	const struct muted *above = find(sieve, event->parent);

	if (event->has_parent && above)
		event->parent = above->parent;
	forget(sieve, event->id);
	if (!gt__filter_mutes(sieve->filter, event->target))
		return true;
	remember(sieve, event->id, event->has_parent ? event->parent : 0);
	return false;
}

/* It has no target of its own: that of its span holds, which may be unknown. */
static bool passes_log(const struct gt__sieve *sieve,
                       const struct gt_hyperlight_event *event)
{
	static const struct gt_text no_target = {"", 0};

	if (gt__filter_mutes_all(sieve->filter))
		return false;
	return event->parent ? !find(sieve, event->parent)
	                     : !gt__filter_mutes(sieve->filter, no_target);
}

bool gt__sieve_passes(struct gt__sieve *sieve,
                      struct gt_hyperlight_event *event)
{
	if (!sieve->filter)
		return true;
	switch (event->kind) {
	case GT_HYPERLIGHT_OPEN:
		return passes_open(sieve, event);
	case GT_HYPERLIGHT_CLOSE:
		return !forget(sieve, event->id);
	case GT_HYPERLIGHT_EDIT:
		return !find(sieve, event->id);
	case GT_HYPERLIGHT_LOG:
		return passes_log(sieve, event);
	case GT_HYPERLIGHT_START:
		break;
	}
	return true;
}
