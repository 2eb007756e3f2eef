/* SPDX-License-Identifier: MIT */
/*
 * On a terminal hundreds of siblings of one name are a line: the first few are
 * shown, and what the rest comes to. One that failed, or never ended, is shown.
 */
#ifndef GUESTTRACE_TREE_FOLD_H
#define GUESTTRACE_TREE_FOLD_H

#include "export/run/collect.h"

struct gt__fold {
	bool is_wanted;
	const struct gt__item *item, *end; /* those that are folded now */
	uint32_t depth;                    /* of theirs */
	bool is_last;                      /* no sibling follows */
};

enum gt__fold_place {
	GT__FOLD_NOT,   /* it is to be shown */
	GT__FOLD_FIRST, /* the line of the fold stands for it */
	GT__FOLD_MORE,  /* that line is there already */
};

/* Of each item of a walk, in its order. */
enum gt__fold_place gt__fold_look(struct gt__fold *fold,
                                  const struct gt__collect *c,
                                  const struct gt__item *item, uint32_t depth);
/* `... 480 more request  avg 30 us  max 1.2 ms`, without the end of the line.
 */
void gt__fold_put(struct gt__out *out, const struct gt__fold *fold,
                  const struct gt__collect *c);

#endif
