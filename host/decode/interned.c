/* SPDX-License-Identifier: MIT */
#include "interned.h"

#include <stdlib.h>
#include <string.h>

#define CROWD "(too many names)"

struct gt__interned_site {
	struct gt__site site;
	uint64_t hash;
	char texts[]; /* target, then name */
};

void gt__interned_init(struct gt__interned *interned, size_t bytes_max)
{
	*interned = (struct gt__interned){.bytes_max = bytes_max,
	                                  .key = gt__hash_key()};
}

void gt__interned_fini(struct gt__interned *interned)
{
	for (uint32_t i = 0; interned->table && i <= interned->mask; i++)
		free(interned->table[i]);
	for (unsigned i = 0; i <= GT_SITE_COUNTER; i++)
		free(interned->crowd[i]);
	free(interned->table);
	gt__interned_init(interned, 0);
}

static bool equal(struct gt_text a, struct gt_text b)
{
	return a.count == b.count &&
	       (a.count == 0 || memcmp(a.bytes, b.bytes, a.count) == 0);
}

static uint64_t hash_of(const struct gt__interned *interned,
                        enum gt_site_kind kind, struct gt_text target,
                        struct gt_text name)
{
	uint64_t hash = gt__hash_bytes(&interned->key, kind, target.bytes,
	                               target.count);

	return gt__hash_bytes(&interned->key, hash, name.bytes, name.count);
}

static uint32_t place(const struct gt__interned *interned, uint64_t hash)
{
	return (uint32_t)hash & interned->mask;
}

static bool grow(struct gt__interned *interned)
{
	uint32_t old_size = interned->table ? interned->mask + 1 : 0;
	uint32_t size = old_size ? 2 * old_size : 64;
	struct gt__interned_site **table, **old = interned->table;

	if (2 * (interned->count + 1) <= old_size)
		return true;
	table = calloc(size, sizeof(struct gt__interned_site *));
	if (!table)
		return false;
	interned->table = table;
	interned->mask = size - 1;
	for (uint32_t i = 0; i < old_size; i++) {
		uint32_t j = old[i] ? place(interned, old[i]->hash) : 0;

		while (old[i] && table[j])
			j = (j + 1) & interned->mask;
		if (old[i])
			table[j] = old[i];
	}
	free(old);
	return true;
}

static struct gt__interned_site *new_site(enum gt_site_kind kind,
                                          struct gt_text target,
                                          struct gt_text name, uint64_t hash)
{
	struct gt__interned_site *one =
		calloc(1, sizeof(*one) + target.count + name.count);

	if (!one)
		return NULL;
	if (target.count)
		memcpy(one->texts, target.bytes, target.count);
	if (name.count)
		memcpy(one->texts + target.count, name.bytes, name.count);
	one->hash = hash;
	one->site.kind = kind;
	one->site.pairs = one->site.says_trace = true;
	one->site.view.target = (struct gt_text){one->texts, target.count};
	one->site.view.name =
		(struct gt_text){one->texts + target.count, name.count};
	one->site.view.file = (struct gt_text){"", 0};
	return one;
}

static const struct gt__site *crowd(struct gt__interned *interned,
                                    enum gt_site_kind kind)
{
	struct gt__interned_site **one = &interned->crowd[kind];

	if (!*one)
		*one = new_site(kind, (struct gt_text){"", 0},
		                (struct gt_text){CROWD, sizeof(CROWD) - 1}, 0);
	return *one ? &(*one)->site : NULL;
}

const struct gt__site *gt__interned_site(struct gt__interned *interned,
                                         enum gt_site_kind kind,
                                         struct gt_text target,
                                         struct gt_text name, bool *ret_crowded)
{
	uint64_t hash = hash_of(interned, kind, target, name);
	size_t bytes = sizeof(struct gt__interned_site) + target.count +
	               name.count + 2 * sizeof(void *);
	struct gt__interned_site *one;
	uint32_t i;

	*ret_crowded = false;
	if (!grow(interned))
		return NULL;
	for (i = place(interned, hash); interned->table[i];
	     i = (i + 1) & interned->mask) {
		one = interned->table[i];
		if (one->hash == hash && one->site.kind == kind &&
		    equal(one->site.view.target, target) &&
		    equal(one->site.view.name, name))
			return &one->site;
	}
	*ret_crowded = bytes > interned->bytes_max - interned->bytes;
	if (*ret_crowded)
		return crowd(interned, kind);
	one = new_site(kind, target, name, hash);
	if (!one)
		return NULL;
	interned->table[i] = one;
	interned->count++;
	interned->bytes += bytes;
	return &one->site;
}
