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

static struct unit unit_of(const struct gt__out *out, uint64_t ns)
{
	static const struct unit units[] = {{1000000000, "s"},
	                                    {1000000, "ms"},
	                                    {1000, "\u00b5s"},
	                                    {1, "ns"}};
	size_t i = 0;

	while (units[i].ns > 1 &&
	       (out->unit_ns ? units[i].ns != out->unit_ns : ns < units[i].ns))
		i++;
	return units[i];
}

/* The smallest part of the unit that is shown: to the ns if it was chosen. */
static uint64_t step_of(const struct gt__out *out, struct unit unit)
{
	return out->unit_ns || unit.ns < 1000 ? 1 : unit.ns / 1000;
}

void gt__put_duration(struct gt__out *out, uint64_t ns)
{
	struct unit unit = unit_of(out, ns);
	uint64_t rest = ns % unit.ns, step = step_of(out, unit), at;

	gt__put_u64(out, ns / unit.ns);
	if (unit.ns > step)
		gt__put_char(out, '.');
	for (at = unit.ns / 10; at >= step; at /= 10)
		gt__put_char(out, (char)('0' + rest / at % 10));
	gt__put_char(out, ' ');
	gt__put(out, unit.word);
}

size_t gt__duration_columns(const struct gt__out *out, uint64_t ns)
{
	struct unit unit = unit_of(out, ns);
	size_t columns = unit.ns == 1000000000 ? 3 : 4; /* "0 s", "0 ms" */
	uint64_t whole = ns / unit.ns, step = step_of(out, unit), at;

	columns += unit.ns > step; /* "." */
	for (at = unit.ns; at > step; at /= 10)
		columns++;
	for (; whole >= 10; whole /= 10)
		columns++;
	return columns;
}

void gt__put_duration_in(struct gt__out *out, uint64_t ns, size_t width)
{
	size_t columns = gt__duration_columns(out, ns);

	/* A unit may be too small for the column. */
	gt__put_spaces(out, columns < width ? width - columns : 1);
	gt__put_duration(out, ns);
}
