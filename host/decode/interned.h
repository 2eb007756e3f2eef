/* SPDX-License-Identifier: MIT */
/*
 * Sites of a wire that has none: Hyperlight names each event anew, so equal
 * names become one site here. Bounded: a guest may name a million things.
 */
#ifndef GT_HOST_INTERNED_H
#define GT_HOST_INTERNED_H

#include "sites.h"

#include <guesttrace/keyed_hash.h>

struct gt__interned_site;

struct gt__interned {
	size_t bytes, bytes_max;
	uint32_t count;
	uint32_t mask;
	struct gt__hash_key key;
	struct gt__interned_site **table; /* open addressing */
	struct gt__interned_site *crowd[GT_SITE_COUNTER + 1]; /* by kind */
};

void gt__interned_init(struct gt__interned *interned, size_t bytes_max);
void gt__interned_fini(struct gt__interned *interned);

/*
 * The site of this kind with these texts, which are copied; its records hold
 * pairs of texts. Over the limit, the one that stands for all further names;
 * *ret_crowded tells. NULL: no memory. It stays where it is.
 */
const struct gt__site *gt__interned_site(struct gt__interned *interned,
                                         enum gt_site_kind kind,
                                         struct gt_text target,
                                         struct gt_text name,
                                         bool *ret_crowded);

#endif
