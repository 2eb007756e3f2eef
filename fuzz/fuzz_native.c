/* SPDX-License-Identifier: MIT */
/*
 * The bytes of rings: u16 bytes of a site table, the table, then what the four
 * levels hold, in equal parts. Merged and decoded as the pipeline does
 * (threats H1, H2).
 */
#include "host/decode/bytes.h"
#include "host/pipeline/levels.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define SITES_GVA 0x400000u

static void check_values(const struct gt__record *record)
{
	const uint8_t *body = record->body;
	size_t left = record->body_bytes;
	volatile uint8_t touched;
	struct gt__value value;

	for (uint32_t i = 0; record->site && i < record->site->field_count;
	     i++) {
		size_t bytes = gt__value_read(record->site->fields[i].type,
		                              body, left, &value);

		if (bytes > left)
			abort(); /* gt__record_read() said that it fits */
		for (uint32_t j = 0; value.bytes && j < value.stored_bytes; j++)
			touched = value.bytes[j];
		body += bytes;
		left -= bytes;
	}
	(void)touched;
	if (record->site && left != 0)
		abort();
}

static void merge(const struct gt__sites *sites, const uint8_t *bytes,
                  size_t count)
{
	struct gt__levels levels = {.inside = count & 7};
	struct gt_losses losses = {0};
	size_t part = count / GT_LEVELS, records = 0;
	struct gt__merged merged;

	/* In two goes, so that records wait between them. */
	for (unsigned half = 0; half < 2; half++) {
		for (unsigned i = 0; i < GT_LEVELS; i++) {
			struct gt__level *level = &levels.level[i];
			const uint8_t *from =
				bytes + i * part + half * (part / 2);

			level->block_bytes = 1024;
			if (gt__level_add(level, half * (part / 2), from,
			                  part / 2) < 0)
				abort();
		}
		while (gt__levels_peek(&levels, sites, half == 1, &losses,
		                       &merged)) {
			check_values(merged.record);
			gt__levels_take(&levels, &merged);
			records++;
		}
		gt__levels_trim(&levels);
	}
	/* Each took at least a word; what is left is nothing. */
	if (records > count / 8 || losses.bad_bytes > count)
		abort();
	for (unsigned i = 0; i < GT_LEVELS; i++)
		if (levels.level[i].done != levels.level[i].count)
			abort();
	gt__levels_fini(&levels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt__sites *sites;
	size_t table;

	if (count < 2 || count > 65536)
		return 0;
	table = gt__load16(bytes);
	bytes += 2;
	count -= 2;
	if (table > count)
		table = count;
	if (gt__sites_new(bytes, table, SITES_GVA, &sites) < 0)
		return 0;
	merge(sites, bytes + table, count - table);
	gt__sites_free(sites);
	return 0;
}
