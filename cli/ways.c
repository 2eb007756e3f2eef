/* SPDX-License-Identifier: MIT */
#include "ways.h"
#include "monotonic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES UINT64_C(4096)
#define ENTRIES    512u
#define LEVELS     4u

/* Intel SDM volume 3, 4.5: bits of an entry of 4-level paging. */
#define PRESENT UINT64_C(1)
#define LARGE   (UINT64_C(1) << 7) /* in levels 1 and 2: a page, no table */
#define ADDRESS UINT64_C(0x000ffffffffff000)

/* However small a dump is; the rest grows with its pages. */
#define STEPS_MIN       (UINT64_C(1) << 26)
#define STEPS_PER_PAGE  (UINT64_C(8) * ENTRIES)
#ifndef PLACES_MIN /* the fuzz target asks for fewer: each costs a host */
#define PLACES_MIN 32u
#endif
#define PAGES_PER_PLACE 256u
/* A table that is no root may lead to the same place by many ways: of each page
 * that may be one so many are tried before more of any are. */
#define PLACES_FIRST    4u
/* One for the targets, four for the levels, two for the roots. */
#define LOOKS_MAX       7u

/* ---- Pages --------------------------------------------------------------- */

static bool is_late(struct ways *ways)
{
	if (ways->end_ns && !ways->out_of_time)
		ways->out_of_time = monotonic_ns() >= ways->end_ns;
	return ways->out_of_time;
}

/* The number of the whole page at a GPA; UINT64_MAX: it is not in the dump. */
static uint64_t page_at(const struct ways *ways, uint64_t gpa)
{
	const struct dump_piece *pieces = ways->dump->pieces;
	uint64_t low = 0, high = ways->dump->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (gpa < pieces[middle].gpa)
			high = middle;
		else if (gpa - pieces[middle].gpa >= pieces[middle].bytes)
			low = middle + 1;
		else
			return ways->first_page[middle] +
			       (gpa - pieces[middle].gpa) / PAGE_BYTES;
	}
	return UINT64_MAX;
}

static bool is_marked(const struct ways *ways, unsigned set, uint64_t gpa)
{
	uint64_t page = page_at(ways, gpa);

	return page != UINT64_MAX &&
	       ways->marks[set][page / 64] >> page % 64 & 1;
}

static void mark(struct ways *ways, unsigned set, uint64_t page)
{
	ways->marks[set][page / 64] |= UINT64_C(1) << page % 64;
}

static const uint64_t *words_of(const struct ways *ways, const uint8_t *page)
{
	if ((uintptr_t)page % sizeof(uint64_t) == 0)
		return (const void *)page;
	memcpy(ways->copy, page, PAGE_BYTES);
	return ways->copy;
}

static bool is_blank(const struct ways *ways, uint64_t page)
{
	return ways->blank[page / 64] >> page % 64 & 1;
}

static int say_progress(struct ways *ways)
{
	if (is_late(ways))
		return -ETIMEDOUT;
	if (ways->progress)
		ways->progress(ways->looks, LOOKS_MAX * ways->pages);
	return 0;
}

/* Calls `look` with each whole page until it returns other than 0. */
static int each_page(struct ways *ways,
                     int (*look)(struct ways *ways, const uint64_t *words,
                                 uint64_t gpa, uint64_t page, void *context),
                     void *context)
{
	const struct dump *dump = ways->dump;
	int r = 0;

	for (uint64_t i = 0; i < dump->count; i++) {
		const struct dump_piece *piece = &dump->pieces[i];
		uint64_t pages = piece->bytes / PAGE_BYTES;

		for (uint64_t n = 0; r == 0 && n < pages; n++) {
			if (ways->looks++ % 1024 == 0)
				r = say_progress(ways);
			if (r == 0 && !is_blank(ways, ways->first_page[i] + n))
				r = look(ways,
				         words_of(ways, piece->host +
				                                n * PAGE_BYTES),
				         piece->gpa + n * PAGE_BYTES,
				         ways->first_page[i] + n, context);
		}
	}
	return r;
}

/* ---- Marking ------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The first target at or behind a GPA. */
static uint64_t target_from(const struct ways *ways, uint64_t gpa)
{
	uint64_t low = 0, high = ways->target_count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (ways->targets[middle] < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (level < 3 && (entry & LARGE));
}

/* The GPAs that a leaf maps. */
static uint64_t leaf_from(uint64_t entry, unsigned level)
{
	return entry & ADDRESS & ~((PAGE_BYTES << 9 * level) - 1);
}

static bool leaf_leads(const struct ways *ways, uint64_t entry, unsigned level)
{
	uint64_t from = leaf_from(entry, level), i = target_from(ways, from);

	return i < ways->target_count &&
	       ways->targets[i] - from < PAGE_BYTES << 9 * level;
}

/* Whether an entry of a table of that level leads to a target. */
static bool leads(const struct ways *ways, uint64_t entry, unsigned level)
{
	if (!(entry & PRESENT))
		return false;
	if (level > 0 && is_leaf(entry, level))
		return leaf_leads(ways, entry, level);
	return is_marked(ways, level, entry & ADDRESS);
}

static int mark_level(struct ways *ways, const uint64_t *words, uint64_t gpa,
                      uint64_t page, void *context)
{
	const unsigned level = *(const unsigned *)context;

	(void)gpa;
	for (unsigned i = 0; i < ENTRIES; i++)
		if (leads(ways, words[i], level)) {
			mark(ways, level + 1, page);
			break;
		}
	return 0;
}

static int mark_target(struct ways *ways, const uint64_t *words, uint64_t gpa,
                       uint64_t page, void *context)
{
	uint64_t count = ways->target_count;
	uint64_t *grown = ways->targets;

	if (words[0] == 0 && memcmp(words, words + 1, PAGE_BYTES - 8) == 0)
		ways->blank[page / 64] |= UINT64_C(1) << page % 64;
	if (words[0] != *(const uint64_t *)context)
		return 0;
	if ((count & (count - 1)) == 0)
		grown = realloc(ways->targets,
		                (count ? 2 * count : 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	ways->targets = grown;
	grown[ways->target_count++] = gpa;
	mark(ways, 0, page);
	return 0;
}

int ways_init(struct ways *ways, const struct dump *dump, uint64_t word,
              uint64_t end_ns, void (*progress)(uint64_t looks, uint64_t of))
{
	int r;

	*ways = (struct ways){
		.dump = dump, .end_ns = end_ns, .progress = progress};
	ways->first_page = calloc(dump->count + 1, sizeof(uint64_t));
	ways->copy = malloc(PAGE_BYTES);
	if (!ways->first_page || !ways->copy)
		return -ENOMEM;
	for (uint64_t i = 0; i < dump->count; i++) {
		ways->first_page[i] = ways->pages;
		ways->pages += dump->pieces[i].bytes / PAGE_BYTES;
	}
	ways->steps_left = STEPS_MIN + STEPS_PER_PAGE * ways->pages;
	ways->places_left = PLACES_MIN + ways->pages / PAGES_PER_PLACE;
	ways->blank = calloc(ways->pages / 64 + 1, sizeof(uint64_t));
	if (!ways->blank)
		return -ENOMEM;
	for (unsigned i = 0; i <= LEVELS; i++) {
		ways->marks[i] = calloc(ways->pages / 64 + 1, sizeof(uint64_t));
		if (!ways->marks[i])
			return -ENOMEM;
	}
	r = each_page(ways, mark_target, &word);
	if (ways->target_count == 0)
		return r;
	qsort(ways->targets, ways->target_count, sizeof(*ways->targets),
	      compare);
	for (unsigned level = 0; r == 0 && level < LEVELS; level++)
		r = each_page(ways, mark_level, &level);
	return r;
}

void ways_fini(struct ways *ways)
{
	for (unsigned i = 0; i <= LEVELS; i++)
		free(ways->marks[i]);
	free(ways->first_page);
	free(ways->copy);
	free(ways->blank);
	free(ways->targets);
	*ways = (struct ways){0};
}

/* ---- Following ----------------------------------------------------------- */

struct walk {
	uint64_t root;
	const uint8_t *table[LEVELS]; /* by level, 3: the root */
	unsigned index[LEVELS];
	unsigned level;
	uint64_t places_left;
	ways_found *found;
	void *context;
};

static uint64_t canonical(uint64_t gva)
{
	return gva >> 47 & 1 ? gva | UINT64_C(0xffff) << 48 : gva;
}

static uint64_t gva_of(const struct walk *w)
{
	uint64_t gva = 0;

	for (unsigned i = w->level; i < LEVELS; i++)
		gva |= (uint64_t)w->index[i] << (12 + 9 * i);
	return gva;
}

/* Shows the targets that a leaf maps. */
static int show(struct ways *ways, struct walk *w, uint64_t entry)
{
	uint64_t from = leaf_from(entry, w->level);
	uint64_t bytes = PAGE_BYTES << 9 * w->level;

	for (uint64_t i = target_from(ways, from);
	     i < ways->target_count && ways->targets[i] - from < bytes &&
	     w->places_left > 0;
	     i++, w->places_left--) {
		uint64_t gpa = ways->targets[i];

		if (is_late(ways))
			return -ETIMEDOUT;
		if (ways->places_left == 0)
			return -E2BIG;
		ways->places_left--;
		if (w->found(w->context, w->root,
		             canonical(gva_of(w) + (gpa - from)), gpa))
			return 1;
	}
	return 0;
}

/* The next entry of the table; 1: found, and no more is wanted. */
static int step(struct ways *ways, struct walk *w)
{
	uint64_t entry;
	int r = 0;

	memcpy(&entry, w->table[w->level] + 8 * w->index[w->level],
	       sizeof(entry));
	if (!leads(ways, entry, w->level)) {
		w->index[w->level]++;
	} else if (is_leaf(entry, w->level)) {
		r = show(ways, w, entry);
		w->index[w->level]++;
	} else {
		w->level--;
		w->table[w->level] =
			dump_at(ways->dump, entry & ADDRESS, PAGE_BYTES);
		w->index[w->level] = 0;
	}
	return r;
}

/* As far as to `places` targets. */
static int follow(struct ways *ways, uint64_t root, uint64_t places,
                  ways_found *found, void *context)
{
	struct walk w = {.root = root,
	                 .level = LEVELS - 1,
	                 .places_left = places,
	                 .found = found,
	                 .context = context};
	int r = 0;

	w.table[w.level] = dump_at(ways->dump, root & ADDRESS, PAGE_BYTES);
	while (r == 0 && w.table[LEVELS - 1] && w.places_left > 0) {
		if (ways->steps_left == 0)
			return -E2BIG;
		if (ways->steps_left-- % 65536 == 0 && is_late(ways))
			return -ETIMEDOUT;
		if (w.index[w.level] < ENTRIES)
			r = step(ways, &w);
		else if (w.level == LEVELS - 1)
			return 0;
		else
			w.index[++w.level]++;
	}
	return r;
}

int ways_follow(struct ways *ways, uint64_t root, ways_found *found,
                void *context)
{
	return follow(ways, root, UINT64_MAX, found, context);
}

/* Whether a page may be a root: no entry of it is impossible. */
static bool is_like_a_root(const struct ways *ways, const uint64_t *page)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if ((page[i] & PRESENT) &&
		    ((page[i] & LARGE) ||
		     page_at(ways, page[i] & ADDRESS) == UINT64_MAX))
			return false;
	return true;
}

struct caller {
	uint64_t places; /* of each root */
	ways_found *found;
	void *context;
};

static int follow_root(struct ways *ways, const uint64_t *words, uint64_t gpa,
                       uint64_t page, void *context)
{
	const struct caller *caller = context;

	(void)page;
	if (!is_marked(ways, LEVELS, gpa) || !is_like_a_root(ways, words))
		return 0;
	return follow(ways, gpa, caller->places, caller->found,
	              caller->context);
}

int ways_follow_all(struct ways *ways, ways_found *found, void *context)
{
	struct caller caller = {PLACES_FIRST, found, context};
	int r = each_page(ways, follow_root, &caller);

	caller.places = UINT64_MAX;
	return r ? r : each_page(ways, follow_root, &caller);
}
