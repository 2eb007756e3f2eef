/* SPDX-License-Identifier: MIT */
/* Runs whose texts are anything: random ones, and all of Unicode. */
#include "synthetic.h"
#include <stdlib.h>
#include <string.h>

#define SITES      24
#define KEYS       12
#define WORKS      4
#define TEXT_BYTES 96

static uint32_t state;

static uint32_t below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (state >> 3) % limit;
}

static size_t put_utf8(char *to, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	return n;
}

/* One of each kind: alone, cut, too long, surrogate, beyond the end. */
static const char *const bad[] = {
	"\x80",     "\xbf",     "\xc0\xaf",         "\xc1\xbf", "\xc3",
	"\xe2\x82", "\xe0\x80", "\xed\xa0\x80",     "\xf0\x9f", "\xf0\x8f\xbf",
	"\xf4\x90", "\xf5",     "\xf8\x88\x80\x80", "\xfe",     "\xff",
};
#define BAD (sizeof bad / sizeof *bad)

static uint32_t random_code_point(void)
{
	static const char hostile[] = "\"\\;,{}[]<>/'=#$`: \t\r\n\x1b";
	uint32_t c;

	switch (below(6)) {
	case 0:
		return (unsigned char)hostile[below(sizeof hostile)];
	case 1:
		return below(0x100);
	case 2:
		c = below(0x10fffe);
		return c >= 0xd800 && c < 0xe000 ? 0x2028 : c;
	case 3:
		return 0x2000 + below(0x80);
	default:
		return 'a' + below(26);
	}
}

/* `exact`: as the host library hands it on, valid. Into `to`. */
static struct gt_text random_text(char *to, bool exact)
{
	size_t n = 0, count = below(10);

	while (count--) {
		if (!exact && !below(24)) {
			const char *bytes = bad[below(BAD)];

			memcpy(to + n, bytes, strlen(bytes));
			n += strlen(bytes);
		} else {
			n += put_utf8(to + n, random_code_point());
		}
	}
	return (struct gt_text){to, n};
}

static char texts[SITES][3][TEXT_BYTES], keys[KEYS][TEXT_BYTES];
static char works[WORKS][TEXT_BYTES];
static struct gt_text work[WORKS];
static struct gt_site_view sites[SITES];
static struct gt_text key[KEYS];

/* Of a counter, as its site says them: the same each time. */
static struct gt_field counter_fields[SITES][2];

static struct gt_field random_field(void)
{
	static const enum gt_type types[] = {
		GT_TYPE_U64,    GT_TYPE_I64,   GT_TYPE_F64,    GT_TYPE_BOOL,
		GT_TYPE_STRING, GT_TYPE_BYTES, GT_TYPE_POINTER};

	return (struct gt_field){.key = key[below(KEYS)],
	                         .type = types[below(7)]};
}

static void make_sites(void)
{
	size_t i;

	for (i = 0; i < SITES; i++)
		sites[i] = (struct gt_site_view){
			.name = random_text(texts[i][0], false),
			.target = random_text(texts[i][1], false),
			.file = random_text(texts[i][2], false),
			.line = below(1000),
			.level = (enum gt_level)(1 + below(5)),
		};
	for (i = 0; i < WORKS; i++)
		work[i] = random_text(works[i], true);
	/* Still different when bad bytes are replaced; the first may be empty.
	 */
	for (i = 0; i < KEYS; i++) {
		key[i] = random_text(keys[i], false);
		if (i)
			keys[i][key[i].count++] = (char)('a' + i);
	}
	for (i = 0; i < SITES * 2; i++)
		counter_fields[i / 2][i % 2] = random_field();
}

static void random_value(struct gt_field *f, char *to)
{
	uint64_t word = (uint64_t)below(UINT32_MAX) << (below(3) * 16);

	switch (f->type) {
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
		f->value.text = random_text(to, false);
		f->full_bytes = (uint32_t)f->value.text.count;
		break;
	case GT_TYPE_BOOL:
		f->value.boolean = word & 1;
		break;
	case GT_TYPE_F64:
		f->value.f64 = (double)word / 7 - 1e9;
		break;
	default:
		f->value.u64 = word * (1 + below(7));
		break;
	}
}

static size_t random_fields(struct gt_field *f, char (*to)[TEXT_BYTES])
{
	size_t i, count = below(5);

	for (i = 0; i < count; i++) {
		f[i] = random_field();
		random_value(&f[i], to[i]);
	}
	return count;
}

/* The texts of spans stay: they are told again at their ends. */
static char (*more_texts(void))[TEXT_BYTES]
{
	static char pool[4096][TEXT_BYTES];
	static size_t used;

	used = (used + 8) % 4088;
	return pool + used;
}

static struct syn_span *pick(const struct syn *s)
{
	struct syn_span *span;

	if (!s->span_count)
		return NULL;
	span = s->spans[below((uint32_t)s->span_count)];
	return span->open ? span : NULL;
}

/* They may overlap, and be noticed long after. */
static void lose(struct syn *s, const struct syn_span *span, uint32_t vcpu,
                 uint64_t now)
{
	static const uint64_t back[] = {0, 10, 300, 5000};
	uint64_t from = back[below(4)], records = 1 + below(40);

	syn_loss(s, vcpu, now > from ? now - from : 0, now, records, span);
	s->lost[vcpu] += records;
}

static void one(struct syn *s, uint64_t *now)
{
	const struct gt_site_view *site = &sites[below(SITES)];
	uint32_t vcpu = below(2);
	struct gt_field f[SYN_FIELDS];
	size_t count = random_fields(f, more_texts());
	struct syn_span *span = pick(s);

	now[vcpu] += below(500);
	if (!below(12))
		lose(s, span, vcpu, now[vcpu]);
	switch (below(5)) {
	case 0:
	case 1:
		syn_open_with(s, site, span, vcpu, now[vcpu], below(3) > 0, f,
		              count);
		break;
	case 2:
		if (!span)
			break;
		span->view.status = (enum gt_status)below(3);
		if (!below(4))
			span->view.flags |= GT_SPAN_PARENT_GUESSED;
		syn_late(span, (struct gt_field){.key = key[below(KEYS)],
		                                 .type = GT_TYPE_U64,
		                                 .value.u64 = below(100)});
		syn_close(s, span, vcpu, now[vcpu]);
		break;
	case 3:
		memcpy(f, counter_fields[site - sites], 2 * sizeof *f);
		random_value(&f[0], more_texts()[0]);
		random_value(&f[1], more_texts()[0]);
		syn_counter(s, site, span, vcpu, now[vcpu], f, 2);
		break;
	default:
		syn_event(s, site, span, vcpu, now[vcpu], f, count);
		break;
	}
}

/* What the host did on a vCPU: turns of guest and exit, some with work in them.
 */
static void random_host(struct syn *s, uint32_t vcpu, uint64_t end_ns)
{
	uint64_t at = below(50), next;
	struct gt_host_span_view stretch;
	bool exit = false;

	for (; at < end_ns; at = next, exit = !exit) {
		const struct syn_span *span = pick(s);

		next = at + below(1000);
		next = next < end_ns ? next : end_ns;
		stretch = (struct gt_host_span_view){
			.kind = exit ? GT_HOST_EXIT : GT_HOST_GUEST,
			.vcpu = vcpu,
			.start_ns = at,
			.end_ns = next,
			.reason = (enum gt_exit_reason)below(9),
			.parent_id = span ? span->view.id : 0,
		};
		if (exit && stretch.reason == GT_EXIT_IO)
			stretch.port = (uint16_t)below(0x10000);
		if (exit)
			stretch.tracing = !below(4);
		stretch.parent_id = syn_host(s, stretch);
		if (!exit || below(2))
			continue;
		stretch = (struct gt_host_span_view){
			.kind = GT_HOST_WORK,
			.vcpu = vcpu,
			.start_ns = at,
			.end_ns = at + (next - at) / 2,
			.parent_id = stretch.parent_id,
			.name = work[below(WORKS)],
		};
		syn_host(s, stretch);
	}
}

void syn_wild(struct syn *s, uint32_t index, uint32_t seed, unsigned count)
{
	uint64_t now[2] = {0, 0}, end_ns;

	state = seed * 2654435761u + 1;
	make_sites();
	syn_begin(s, index, "wild");
	while (count--)
		one(s, now);
	end_ns = (now[0] > now[1] ? now[0] : now[1]) + 1;
	random_host(s, 0, end_ns);
	random_host(s, 1, end_ns);
	s->summary.ending = (enum gt_ending)below(8);
	s->summary.status = below(3);
	if (below(2))
		s->summary.message = work[below(WORKS)];
	s->summary.losses.records = s->lost[0] + s->lost[1];
	s->summary.lost_records = s->lost;
	syn_end(s, end_ns);
}

/* ---- All of Unicode ------------------------------------------------------ */

#define BLOCK  256u /* code points of a text */
#define BLOCKS (0x110000u / BLOCK)

static struct gt_text block_text(char *to, uint32_t first)
{
	uint32_t c;
	size_t n = 0;

	for (c = first; c < first + BLOCK; c++)
		if (c < 0xd800 || c >= 0xe000)
			n += put_utf8(to + n, c);
	return (struct gt_text){to, n};
}

static void open_one(struct syn *s, struct gt_site_view *site,
                     struct gt_text text, uint64_t at)
{
	struct gt_field f = {.key = text,
	                     .type = GT_TYPE_STRING,
	                     .value.text = text,
	                     .full_bytes = (uint32_t)text.count};
	static const struct gt_site_view note = {
		.name = {"note", 4}, .target = {"t", 1}, .level = GT_INFO};
	struct syn_span *span;

	*site = (struct gt_site_view){.name = text,
	                              .target = text,
	                              .file = text,
	                              .line = 1,
	                              .level = GT_INFO};
	span = syn_open_with(s, site, NULL, 0, at, true, &f, 1);
	f.key = syn_text("text");
	syn_event(s, &note, span, 0, at, &f, 1);
	span->view.status = GT_STATUS_ERROR;
	span->view.status_text = text;
	syn_close(s, span, 0, at + 1);
}

void syn_unicode(struct syn *s, uint32_t index)
{
	static char all[BLOCKS + BAD][4 * BLOCK];
	static struct gt_site_view site[BLOCKS + BAD];
	uint32_t i;

	syn_begin(s, index, "unicode");
	for (i = 0; i < BLOCKS; i++)
		open_one(s, &site[i], block_text(all[i], i * BLOCK), i * 10);
	for (i = 0; i < BAD; i++) {
		all[BLOCKS + i][0] = (char)('a' + i); /* names of their own */
		strcpy(all[BLOCKS + i] + 1, bad[i]);
		open_one(s, &site[BLOCKS + i], syn_text(all[BLOCKS + i]),
		         (BLOCKS + i) * 10);
	}
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, (BLOCKS + BAD) * 10);
}
