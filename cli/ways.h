/* SPDX-License-Identifier: MIT */
/*
 * Which page tables in a dump lead to which pages. What is in a dump is not
 * trusted: all that is done is bounded by its length, however its pages point
 * at each other.
 *
 * Pages are marked from the end: those that, as a table of the lowest level,
 * lead to a target; those that do as one of the next level, and so on. That is
 * one look at the dump for each of the four levels. Then only marked tables are
 * followed from a root.
 */
#ifndef GT_CLI_WAYS_H
#define GT_CLI_WAYS_H

#include "dump.h"

struct ways {
	const struct dump *dump;
	uint64_t *first_page; /* of a piece, among all */
	uint64_t pages;
	uint64_t *copy; /* a page of a piece that is not aligned */
	/* Bits by page: nothing but zeros, and not looked at again. A file of
	 * memory is mostly that. */
	uint64_t *blank;
	uint64_t *targets; /* GPAs of pages, rising */
	uint64_t target_count;
	uint64_t *marks[5];   /* bits by page: targets, then levels 0 to 3 */
	uint64_t steps_left;  /* entries that may be looked at on the way */
	uint64_t places_left; /* targets that may be shown */
	uint64_t end_ns;      /* of CLOCK_MONOTONIC; 0: never */
	bool out_of_time;
	/* Called now and then, unless NULL: how many looks at a page were taken
	 * of how many that there will be at most. */
	void (*progress)(uint64_t looks, uint64_t of);
	uint64_t looks;
};

/*
 * Targets are the pages that begin with the word. -ENOMEM; -ETIMEDOUT: `end_ns`
 * has come. ways_fini() is due in any case.
 */
int ways_init(struct ways *ways, const struct dump *dump, uint64_t word,
              uint64_t end_ns, void (*progress)(uint64_t looks, uint64_t of));
void ways_fini(struct ways *ways);

/*
 * Calls `found` with each target that page tables from `root` on lead to, and
 * the GVA it has there, until it returns true: then 1. 0: there are no more.
 * -E2BIG: there are too many ways for a dump of this length. -ETIMEDOUT.
 */
typedef bool ways_found(void *context, uint64_t root, uint64_t gva,
                        uint64_t gpa);
int ways_follow(struct ways *ways, uint64_t root, ways_found *found,
                void *context);

/* The same from each page that may be a root and leads to a target: a few of
 * each root, then all. */
int ways_follow_all(struct ways *ways, ways_found *found, void *context);

#endif
