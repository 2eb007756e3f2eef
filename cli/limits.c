/* SPDX-License-Identifier: MIT */
#include "limits.h"
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct limit {
	const char *name;
	size_t offset, size;
} limits_table[] = {
#define LIMIT(name, member)                                     \
	{                                                       \
		name, offsetof(struct gt_limits, member),       \
			sizeof(((struct gt_limits *)0)->member) \
	}
	LIMIT("open-spans", open_spans),
	LIMIT("span-bytes", span_bytes),
	LIMIT("fields", fields),
	LIMIT("value-bytes", value_bytes),
	LIMIT("contexts", contexts),
	LIMIT("sites-bytes", sites_bytes),
	LIMIT("name-bytes", name_bytes),
	LIMIT("ring-bytes", ring_bytes),
	LIMIT("rings-bytes", rings_bytes),
	LIMIT("batch-bytes", batch_bytes),
	LIMIT("announcements", announcements),
	LIMIT("exits", exits),
	LIMIT("exits-per-s", exits_per_s),
	LIMIT("exits-in-all", exits_in_all),
	LIMIT("records", records),
	LIMIT("records-per-s", records_per_s),
	LIMIT("record-bytes", record_bytes),
	LIMIT("record-bytes-per-s", record_bytes_per_s),
#undef LIMIT
};
#define LIMITS (sizeof(limits_table) / sizeof(limits_table[0]))

static const struct limit *find(const char *name, size_t length)
{
	for (size_t i = 0; i < LIMITS; i++)
		if (strlen(limits_table[i].name) == length &&
		    memcmp(limits_table[i].name, name, length) == 0)
			return &limits_table[i];
	return NULL;
}

static void complain_of_name(const char *name, size_t length)
{
	char all[512] = "";

	for (size_t i = 0; i < LIMITS; i++) {
		strcat(all, i ? ", " : "");
		strcat(all, limits_table[i].name);
	}
	complain("--limit: no limit '%.*s'; there are %s", (int)length, name,
	         all);
}

/* A number from 1 on, with k, M or G behind it for powers of 1024. */
static bool parse_value(const char *text, size_t length, uint64_t *ret_value)
{
	static const char units[] = "kMG";
	const char *unit;
	unsigned shift = 0;
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	if (end < text + length && (unit = strchr(units, *end)) && *unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (end != text + length || *ret_value == 0 ||
	    *ret_value > UINT64_MAX >> shift)
		return false;
	*ret_value <<= shift;
	return true;
}

static bool set(struct gt_limits *limits, const struct limit *limit,
                uint64_t value)
{
	char *to = (char *)limits + limit->offset;
	uint32_t narrow = (uint32_t)value;

	if (limit->size == sizeof(narrow)) {
		if (value > UINT32_MAX)
			return false;
		memcpy(to, &narrow, sizeof(narrow));
		return true;
	}
	memcpy(to, &value, sizeof(value));
	return true;
}

static bool parse_one(struct gt_limits *limits, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t name = equals ? (size_t)(equals - text) : length;
	const struct limit *limit = find(text, name);
	uint64_t value;

	if (!limit) {
		complain_of_name(text, name);
		return false;
	}
	if (equals && parse_value(equals + 1, length - name - 1, &value) &&
	    set(limits, limit, value))
		return true;
	complain("--limit %s wants a whole number from 1 on, with k, M or G "
	         "behind it, not '%.*s'",
	         limit->name, equals ? (int)(length - name - 1) : 0,
	         equals ? equals + 1 : "");
	return false;
}

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "set() knows two widths");

bool limits_parse(struct gt_limits *limits, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ",");

		if (!parse_one(limits, text, length))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

bool limits_parse_bytes(const char *option, const char *text,
                        uint64_t *ret_bytes)
{
	if (parse_value(text, strlen(text), ret_bytes))
		return true;
	complain("--%s wants bytes, from 1 on, with k, M or G behind the "
	         "number, not '%s'",
	         option, text);
	return false;
}
