/* SPDX-License-Identifier: MIT */
#include "split_words.h"
#include "export/out/words.h"

uint64_t gt__split_part_ns(const struct gt__timeline *t, const uint64_t *row,
                           enum gt__part part)
{
	uint32_t i;

	for (i = 0; i < t->columns; i++)
		if (t->parts[i] == part)
			return row[i];
	return 0;
}

uint64_t gt__split_exits_ns(const struct gt__timeline *t, const uint64_t *row)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < t->columns; i++)
		if (t->parts[i] >= GT__PART_EXIT)
			sum += row[i];
	return sum;
}

static void put_part(struct gt__out *o, const char *before, const char *key,
                     uint64_t ns)
{
	gt__put(o, before);
	gt__put(o, key);
	gt__put(o, "\":\"");
	gt__put_u64(o, ns);
	gt__put_char(o, '"');
}

void gt__put_split_json(struct gt__out *o, const struct gt__timeline *t,
                        const uint64_t *row)
{
	const char *before = "\"";
	uint32_t i;

	put_part(o, "{\"", "guest_ns", row[GT__PART_GUEST]);
	gt__put(o, ",\"exits_ns\":{");
	for (i = 0; i < t->columns; i++) {
		if (t->parts[i] < GT__PART_EXIT || !row[i])
			continue;
		put_part(o, before, gt__exit_word(t->parts[i] - GT__PART_EXIT),
		         row[i]);
		before = ",\"";
	}
	put_part(o, "},\"", "tracing_ns",
	         gt__split_part_ns(t, row, GT__PART_TRACING));
	put_part(o, ",\"", "waiting_ns", row[GT__PART_WAITING]);
	put_part(o, ",\"", "unknown_ns", row[GT__PART_UNKNOWN]);
	gt__put_char(o, '}');
}
