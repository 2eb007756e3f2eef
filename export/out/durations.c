/* SPDX-License-Identifier: MIT */
#include "durations.h"

void gt__put_spaces(struct gt__out *out, size_t count)
{
	while (count--)
		gt__put_char(out, ' ');
}

struct unit {
	uint64_t ns;
	const char *word;
};

static struct unit unit_of(uint64_t ns)
{
	static const struct unit units[] = {{1000000000, "s"},
	                                    {1000000, "ms"},
	                                    {1000, "\u00b5s"},
	                                    {1, "ns"}};
	size_t i = 0;

	while (ns < units[i].ns && units[i].ns > 1)
		i++;
	return units[i];
}

void gt__put_duration(struct gt__out *out, uint64_t ns)
{
	struct unit unit = unit_of(ns);
	uint64_t rest = ns % unit.ns;

	gt__put_u64(out, ns / unit.ns);
	if (unit.ns > 1) {
		rest = rest / (unit.ns / 1000);
		gt__put_char(out, '.');
		gt__put_char(out, (char)('0' + rest / 100));
		gt__put_char(out, (char)('0' + rest / 10 % 10));
		gt__put_char(out, (char)('0' + rest % 10));
	}
	gt__put_char(out, ' ');
	gt__put(out, unit.word);
}

size_t gt__duration_columns(uint64_t ns)
{
	struct unit unit = unit_of(ns);
	size_t columns = unit.ns == 1000000000 ? 3 : 4; /* "0 s", "0 ms" */
	uint64_t whole = ns / unit.ns;

	if (unit.ns > 1)
		columns += 4; /* ".123" */
	for (; whole >= 10; whole /= 10)
		columns++;
	return columns;
}

void gt__put_duration_in(struct gt__out *out, uint64_t ns, size_t width)
{
	size_t columns = gt__duration_columns(ns);

	if (columns < width)
		gt__put_spaces(out, width - columns);
	gt__put_duration(out, ns);
}
