/* SPDX-License-Identifier: MIT */
/* The table of open spans against an array that is searched from end to end. */
#include "host/spans/opentable.h"
#include "tests/support/cpu_time.h"
#include "tests/support/random64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IDS       512u
#define COUNT_MAX 300u

/* ---- The model: spans by age --------------------------------------------- */

struct model_span {
	uint64_t id;
	struct gt__open_span *span;
	uint32_t seed; /* of what it has said */
	unsigned items;
};

static const struct gt__hash_key key = {UINT64_C(0x0123456789abcdef), 4711};

static struct model_span model[COUNT_MAX];
static unsigned model_count;

static struct gt__open_span *add(struct gt__open_table *table, uint64_t id)
{
	return gt__open_table_add(table, id, gt__open_table_hash(table, id));
}

static struct model_span *model_find(uint64_t id)
{
	for (unsigned i = 0; i < model_count; i++)
		if (model[i].id == id)
			return &model[i];
	return NULL;
}

static void model_remove(struct model_span *one)
{
	unsigned i = (unsigned)(one - model);

	memmove(one, one + 1, (model_count - i - 1) * sizeof(*one));
	model_count--;
}

/* ---- What a span says: items whose bytes follow from its seed ------------ */

static uint32_t item_bytes(const struct model_span *one, unsigned item)
{
	uint32_t mix = (one->seed + item) * 2654435761u;

	return mix >> 28 ? mix >> 25 : mix >> 16;
}

static bool say(struct gt__open_table *table, struct model_span *one)
{
	static uint8_t body[4096];
	struct gt__item item = {
		.time_ns = one->items,
		.body_bytes = item_bytes(one, one->items),
	};

	memset(body, (int)(one->seed + one->items), sizeof(body));
	if (!gt__open_table_say(table, one->span, &item, body))
		return false;
	one->items++;
	return true;
}

static void check_items(const struct model_span *one)
{
	static uint8_t *buffer;
	static size_t buffer_bytes;
	const uint8_t *at =
		gt__open_table_items(one->span, &buffer, &buffer_bytes);
	struct gt__item item;

	for (unsigned i = 0; i < one->items; i++) {
		memcpy(&item, at, sizeof(item));
		at += sizeof(item);
		assert_int_equal(item.time_ns, i);
		assert_int_equal(item.body_bytes, item_bytes(one, i));
		for (uint32_t j = 0; j < item.body_bytes; j++)
			assert_true(*at++ == (uint8_t)(one->seed + i));
	}
	free(buffer);
	buffer = NULL;
	buffer_bytes = 0;
}

static void check_ages(const struct gt__open_table *table)
{
	struct gt__open_span *span = table->oldest;

	for (unsigned i = 0; i < model_count; i++, span = span->newer)
		assert_ptr_equal(span, model[i].span);
	assert_null(span);
	span = table->newest;
	for (unsigned i = model_count; i > 0; i--, span = span->older)
		assert_ptr_equal(span, model[i - 1].span);
	assert_null(span);
}

static void step(struct gt__open_table *table)
{
	/* Full stretches and empty ones take turns. */
	bool filling = random64() % 8 < (random64_state >> 60 ? 5u : 3u);
	uint64_t id = 4 + 8 * (random64() % IDS);
	struct model_span *one = model_find(id);
	struct gt__open_span *span;

	assert_ptr_equal(gt__open_table_find(table, id),
	                 one ? one->span : NULL);
	if (one && !filling) {
		check_items(one);
		gt__open_table_remove(table, one->span);
		model_remove(one);
	} else if (one) {
		say(table, one);
	} else if (filling) {
		span = add(table, id);
		assert_int_equal(span != NULL, model_count < COUNT_MAX);
		if (span)
			model[model_count++] = (struct model_span){
				id, span, (uint32_t)random64(), 0};
	}
	assert_int_equal(table->count, model_count);
	assert_true(table->bytes <= table->bytes_max);
}

/* Threat D1. */
static void a_million_operations_agree_with_the_model(void **unused)
{
	struct gt__open_table table;

	(void)unused;
	gt__open_table_init(&table, COUNT_MAX, 60000, key);
	for (unsigned i = 0; i < 1000000; i++) {
		step(&table);
		if (i % 1024 == 0)
			check_ages(&table);
	}
	for (unsigned i = 0; i < model_count; i++)
		check_items(&model[i]);
	while (model_count > 0) {
		gt__open_table_remove(&table, model[0].span);
		model_remove(&model[0]);
	}
	assert_int_equal(table.bytes, 0);
	assert_null(table.oldest);
	assert_null(gt__open_table_find(&table, 4));
	gt__open_table_fini(&table);
}

static void an_item_over_the_quota_leaves_nothing_behind(void **unused)
{
	struct gt__open_table table;
	struct gt__item item = {.body_bytes = 0};
	uint8_t body[4096] = {0};
	struct gt__open_span *span;
	size_t before;
	unsigned said = 0;

	(void)unused;
	gt__open_table_init(&table, 2, 4096, key);
	span = add(&table, 1);
	while (gt__open_table_say(&table, span, &item, body))
		said++;
	before = span->item_bytes;
	assert_int_equal(before, said * sizeof(item));
	for (uint32_t count = 1; count <= sizeof(body); count++) {
		item.body_bytes = count;
		assert_false(gt__open_table_say(&table, span, &item, body));
		assert_int_equal(span->item_bytes, before);
	}
	gt__open_table_remove(&table, span);
	assert_int_equal(table.bytes, 0);
	/* All of it is there again. */
	span = add(&table, 2);
	item.body_bytes = 0;
	while (said > 0 && gt__open_table_say(&table, span, &item, body))
		said--;
	assert_int_equal(said, 0);
	gt__open_table_fini(&table);
}

/* ---- Ids that collide ---------------------------------------------------- */

#define COLLIDING 2048u

/* Under the key that the guest believes to know. */
static uint32_t guessed_place(uint64_t id)
{
	return (uint32_t)gt__hash_word(&key, id) & (2 * COLLIDING - 1);
}

struct search {
	struct gt__open_table table;
	const uint64_t *ids;
};

static void search_all(void *context)
{
	const struct search *search = context;

	for (unsigned i = 0; i < COLLIDING; i++)
		assert_true(gt__open_table_find(&search->table, search->ids[i])
		                    ->id == search->ids[i]);
}

static uint64_t search_ns(struct gt__hash_key with, const uint64_t *ids)
{
	struct search search = {.ids = ids};
	uint64_t ns;

	gt__open_table_init(&search.table, COLLIDING, 0, with);
	for (unsigned i = 0; i < COLLIDING; i++)
		assert_non_null(add(&search.table, ids[i]));
	ns = cpu_fastest_ns(search_all, &search);
	gt__open_table_fini(&search.table);
	return ns;
}

/* Threat D10. */
static void ids_that_collide_under_another_key_are_harmless(void **unused)
{
	static uint64_t ids[COLLIDING];
	const struct gt__hash_key other = {key.k0 + 1, key.k1};
	uint64_t id = 4;

	(void)unused;
	for (unsigned i = 0; i < COLLIDING; id += 8)
		if (guessed_place(id) == 0)
			ids[i++] = id;
	/* What the guess would cost if it were right shows that it is one. */
	assert_true(search_ns(key, ids) > 10 * search_ns(other, ids));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_operations_agree_with_the_model),
		cmocka_unit_test(an_item_over_the_quota_leaves_nothing_behind),
		cmocka_unit_test(
			ids_that_collide_under_another_key_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
