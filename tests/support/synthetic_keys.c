/* SPDX-License-Identifier: MIT */
/*
 * A run of records whose keys formats may take for each other or for words of
 * their own, in all pairs, and of names that a spreadsheet would compute.
 */
#include "synthetic.h"

/* 64 bytes, of which the last is not there for who keeps 60. */
#define LONG "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

static const char *const keys[] = {
	"",
	"a",
	"_a",
	"__a",
	"___a",
	"_",
	"__",
	"a_2",
	"_a_2",
	"a-b",
	"a.b",
	"a_b",
	"a_b_2",
	"length_of_a",
	"_length_of_a",
	"__length_of_a",
	"xlength_of_a",
	"length_of_",
	"_length_of_",
	"__length_of",
	"struct",
	"event",
	"integer",
	"0",
	"\xc3\xa9",
	"\xe2\x80\xae",
	"\"",
	"\\",
	"guest.",
	"guest.a",
	"guesttrace.level",
	LONG "1",
	LONG "2",
};
#define KEYS (sizeof keys / sizeof *keys)

static const char *const names[] = {
	"=cmd|' /C calc'!A0",
	"+1",
	"-1",
	"@SUM(1)",
	"\t=1",
	"\r=1",
	"\n=1",
	"'=1",
	"'",
	" =1",
	"\xe3\x80\x80=1",
	"1",
	"-1e3",
	"\xef\xbc\x9d"
	"1",
	"\xef\xbc\x8b"
	"1",
	"\xef\xbc\x8d"
	"1",
	"\xef\xbc\xa0"
	"1",
	"\"=1",
	"a\",=1",
	"a\r\n=1",
};
#define NAMES (sizeof names / sizeof *names)
#define DEPTH 131u

static struct gt_field field_of(const char *key, bool bytes, uint64_t value)
{
	struct gt_field field = {.key = syn_text(key), .type = GT_TYPE_U64};

	if (!bytes) {
		field.value.u64 = value;
		return field;
	}
	field.type = GT_TYPE_BYTES;
	field.value.text = syn_text(value % 2 ? "odd" : "even");
	field.full_bytes = (uint32_t)field.value.text.count;
	return field;
}

/* Bit 0 of `kinds`: the first is bytes; bit 1: the second. */
static void show_pair(struct syn *s, size_t i, size_t j, unsigned kinds,
                      uint64_t at)
{
	static const struct gt_site_view site = {
		{"pair", 4}, {"keys", 4}, {"keys.c", 6}, 1, GT_INFO, {NULL, 0}};
	/* Of a counter the site says the keys. */
	static struct gt_site_view counters[KEYS * KEYS];
	struct gt_field f[2] = {field_of(keys[i], kinds & 1, at),
	                        field_of(keys[j], kinds & 2, at + 1)};
	struct gt_site_view *counter = &counters[i * KEYS + j];
	struct syn_span *span;

	*counter = site;
	/* Not for all: they would be more than CTF has classes for. */
	if (kinds == 0 && (i + j) % 3 == 0) {
		span = syn_open_with(s, &site, NULL, 0, at, true, f, 1);
		syn_late(span, f[1]);
		syn_close(s, span, 0, at + 2);
	}
	if (kinds == 0 && (i + j) % 5 == 0)
		syn_counter(s, counter, NULL, 0, at + 3, f, 2);
	syn_event(s, &site, NULL, 0, at + 4, f, 2);
}

static void show_name(struct syn *s, const char *name, uint64_t at)
{
	static struct gt_site_view sites[NAMES];
	struct gt_site_view *site = &sites[at % NAMES];
	struct syn_span *span;

	*site = (struct gt_site_view){.name = syn_text(name),
	                              .target = syn_text(name),
	                              .file = syn_text(name),
	                              .line = 1,
	                              .level = GT_INFO};
	span = syn_open(s, site, NULL, 0, at, true);
	syn_close(s, span, 0, at + 1);
}

/* Deeper than a stack is shown. */
static void show_deep(struct syn *s, uint64_t at)
{
	static const struct gt_site_view site = {
		{"deep", 4}, {"keys", 4}, {"keys.c", 6}, 2, GT_INFO, {NULL, 0}};
	struct syn_span *spans[DEPTH];
	unsigned i;

	for (i = 0; i < DEPTH; i++)
		spans[i] = syn_open(s, &site, i ? spans[i - 1] : NULL, 0,
		                    at + i, true);
	while (i--)
		syn_close(s, spans[i], 0, at + 3 * DEPTH - 2 * i);
}

void syn_keys(struct syn *s, uint32_t index)
{
	uint64_t at = 10;
	size_t i, j;
	unsigned kinds;

	syn_begin(s, index, "=keys");
	for (i = 0; i < KEYS; i++)
		for (j = 0; j < KEYS; j++)
			for (kinds = 0; kinds < 4; kinds++, at += 10)
				if (kinds != 2) /* 1 of the pair turned round */
					show_pair(s, i, j, kinds, at);
	for (i = 0; i < NAMES; i++, at += 1)
		show_name(s, names[i], at);
	show_deep(s, at);
	at += 4 * DEPTH;
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, at + 10);
}
