/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing, at most half full. */
#include "intern.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 256u

void gt__intern_fini(struct gt__intern *intern)
{
	free(intern->slots);
	memset(intern, 0, sizeof *intern);
}

static struct gt__interned *slot_of(const struct gt__intern *intern,
                                    const struct gt_site_view *site)
{
	uint64_t hash = (uint64_t)(uintptr_t)site >> 3;
	uint32_t i = (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		struct gt__interned *slot = &intern->slots[i & intern->mask];

		if (!slot->number || slot->site == site)
			return slot;
	}
}

static int grow(struct gt__intern *intern)
{
	uint32_t i, slots = intern->slots ? intern->mask + 1 : 0;
	struct gt__intern larger = {
		.mask = slots ? slots * 2 - 1 : SLOTS_MIN - 1,
		.count = intern->count,
	};

	if (intern->count < slots / 2)
		return 0;
	larger.slots = calloc(larger.mask + 1, sizeof *larger.slots);
	if (!larger.slots)
		return -ENOMEM;
	for (i = 0; i < slots; i++)
		if (intern->slots[i].number)
			*slot_of(&larger, intern->slots[i].site) =
				intern->slots[i];
	free(intern->slots);
	*intern = larger;
	return 0;
}

int gt__intern(struct gt__intern *intern, const struct gt_site_view *site,
               uint32_t *ret_number, bool *ret_new)
{
	struct gt__interned *slot;
	int rc = grow(intern);

	if (rc)
		return rc;
	slot = slot_of(intern, site);
	*ret_new = !slot->number && intern->count < GT__INTERN_MAX;
	if (*ret_new) {
		slot->site = site;
		slot->number = ++intern->count;
	}
	*ret_number = slot->number;
	return 0;
}
