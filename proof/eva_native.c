/* SPDX-License-Identifier: MIT */
/*
 * The native decoder on any bytes: a record of up to RECORD_BYTES, and a site
 * of up to FIELDS values of any types, which may or may not be its.
 */
#include "eva.h"
#include "host/decode/bytes.h"
#include "host/decode/native.h"

#define RECORD_BYTES 56u
#define FIELDS       3u

static uint8_t bytes[RECORD_BYTES];
static struct gt__site_field fields[FIELDS];
static struct gt__site site = {.fields = fields};
static struct gt__sites sites;

/* The lookup is one of a hash table over a private copy: any site, or none. */
const struct gt__site *gt__sites_find(const struct gt__sites *of,
                                      uint32_t address_low)
{
	(void)of;
	(void)address_low;
	return any(0, 1) ? &site : NULL;
}

static void read_values(const struct gt__record *record)
{
	const uint8_t *body = record->body;
	size_t left = record->body_bytes;
	struct gt__value value;

	for (uint32_t i = 0; record->site && i < record->site->field_count;
	     i++) {
		size_t taken = gt__value_read(record->site->fields[i].type,
		                              body, left, &value);

		if (taken > left)
			return;
		body += taken;
		left -= taken;
	}
}

/* With a head that says so many words, and all else as it may be. */
static void read_one(size_t count, unsigned words)
{
	struct gt__record record = {.kind = GT_RECORD_PAD};
	uint8_t *at = bytes + RECORD_BYTES - count;

	if (count >= 8)
		gt__store16(at + 4, (uint16_t)words);
	if (gt__record_read(&sites, at, count, &record) != 0)
		read_values(&record);
}

int main(void)
{
	make_any(bytes, sizeof(bytes));
	site.kind = (enum gt_site_kind)any(1, 4);
	site.field_count = (uint32_t)any(0, FIELDS);
	site.is_fixed = any(0, 1);
	site.fixed_bytes = any(0, 8 * FIELDS);
	for (unsigned i = 0; i < FIELDS; i++)
		fields[i].type = (enum gt_type)any(0, 255);
	for (size_t count = 0; count <= RECORD_BYTES; count++) {
		for (unsigned words = 0; words <= RECORD_BYTES / 8; words++)
			read_one(count, words);
		read_one(count, (unsigned)any(RECORD_BYTES / 8 + 1, 0xffff));
	}
	return 0;
}
