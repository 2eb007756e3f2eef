/* SPDX-License-Identifier: MIT */
#include "site_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

uint8_t table[4096];
size_t table_bytes;
struct gt__sites *sites;
uint32_t event, span, late, counter, words;

uint32_t table_add(enum gt_site_kind kind, unsigned fields, const char *text,
                   size_t count)
{
	uint32_t at = (uint32_t)table_bytes;
	struct gt_site head = {
		.kind = (uint8_t)kind,
		.level = GT_INFO,
		.fields = (uint8_t)fields,
		.size = (uint16_t)(sizeof(head) + count + 1),
		.magic = GT_SITE_MAGIC,
		.line = 200,
	};

	memcpy(table + at, &head, sizeof(head));
	memcpy(table + at + sizeof(head), text, count + 1);
	table_bytes += (head.size + 7u) & ~7u;
	return at;
}

int table_setup(void **unused)
{
	(void)unused;
	table_bytes = 0;
	memset(table, 0, sizeof(table));
	event = SITE(GT_SITE_EVENT, 3, "ev\0tgt\0f.c\0un\0ss\0xb");
	span = SITE(GT_SITE_SPAN, 3, "sp\0tgt\0f.c\0^\0!\0.");
	late = SITE(GT_SITE_FIELDS, 1, "\0tgt\0f.c\0ik");
	counter = SITE(GT_SITE_COUNTER, 2, "co\0tgt\0f.c\0fa\0bb");
	words = SITE(GT_SITE_EVENT, 0, "none\0tgt\0f.c");
	return gt__sites_new(table, table_bytes, TABLE_GVA, &sites);
}

int table_teardown(void **unused)
{
	(void)unused;
	gt__sites_free(sites);
	sites = NULL;
	return 0;
}

struct gt__sites *parse(const uint8_t *bytes, size_t count)
{
	uint8_t *copy = malloc(count + !count);
	struct gt__sites *parsed = NULL;

	memcpy(copy, bytes, count);
	assert_int_equal(gt__sites_new(copy, count, TABLE_GVA, &parsed), 0);
	free(copy);
	return parsed;
}
