/* SPDX-License-Identifier: MIT */
/*
 * html_sample KIND DIRECTORY: writes page.html and report.json of the same
 * runs. KIND: `everything`, `hostile`, `extremes`, `planted`, `joined`, or a number
 * of spans, which get no report.
 */
#include "html_planted.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 256u /* code points in one name */

static const struct gt_site_view sites[] = {
	{{"serve", 5}, {"app", 3}, {"app.c", 5}, 10, GT_INFO, {"serve_one", 9}},
	{{"query", 5}, {"app.db", 6}, {"db.c", 4}, 20, GT_DEBUG, {NULL, 0}},
	{{"parse", 5}, {"app.http", 8}, {"http.c", 6}, 30, GT_TRACE, {NULL, 0}},
	{{"slow", 4}, {"app.db", 6}, {"db.c", 4}, 40, GT_WARN, {NULL, 0}},
};

static int write_file(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -EIO;
}

static FILE *open_file(const char *directory, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (!file) {
		perror(path);
		exit(1);
	}
	return file;
}

static void stretch(struct syn *s, enum gt_host_span_kind kind,
                    enum gt_exit_reason reason, uint32_t vcpu, uint64_t from_ns,
                    uint64_t to_ns)
{
	struct gt_host_span_view h = {
		.id = 0x4000000000000000u + from_ns * 2 + vcpu,
		.parent_id = 1,
		.start_ns = s->trace.start_ns + from_ns,
		.end_ns = s->trace.start_ns + to_ns,
		.kind = kind,
		.reason = reason,
		.vcpu = vcpu,
		.port = reason == GT_EXIT_IO ? 104 : 0,
		.tracing = reason == GT_EXIT_IO,
		.name = syn_text(kind == GT_HOST_WORK    ? "disk <emulation>"
	                         : kind == GT_HOST_GUEST ? "guest"
	                                                 : "exit"),
		.waiting_ns = (to_ns - from_ns) / 5,
	};
	size_t i;

	for (i = 0; i < s->sink_count; i++)
		if (s->sinks[i]->host_span)
			s->sinks[i]->host_span(s->sinks[i], &s->trace, &h);
}

/* A run of two vCPUs whose host is seen as well. */
static void watched_run(struct syn *s, uint32_t index)
{
	uint64_t at;
	uint32_t vcpu;

	syn_begin(s, index, "watched");
	for (vcpu = 0; vcpu < 2; vcpu++) {
		struct syn_span *serve =
			syn_open(s, &sites[0], NULL, vcpu, 1000, true);

		for (at = 2000; at < 90000; at += 8000) {
			struct syn_span *query =
				syn_open(s, &sites[1], serve, vcpu, at, true);

			syn_event(s, &sites[3], query, vcpu, at + 500, NULL, 0);
			syn_close(s, query, vcpu, at + 6000);
		}
		syn_close(s, serve, vcpu, 95000);
		for (at = 0; at < 96000; at += 12000) {
			enum gt_exit_reason reason =
				at % 24000 ? GT_EXIT_MMIO : GT_EXIT_IO;

			stretch(s, GT_HOST_GUEST, reason, vcpu, at, at + 9000);
			stretch(s, GT_HOST_EXIT, reason, vcpu, at + 9000,
			        at + 12000);
		}
		stretch(s, GT_HOST_WORK, 0, vcpu, 9500, 11000);
	}
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, 100000);
}

static size_t put_code_point(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Lives as long as the runs that show it. */
static void *keep(size_t count)
{
	static struct kept {
		struct kept *next;
		_Alignas(16) char bytes[];
	} * all;
	struct kept *kept = count ? calloc(1, sizeof *kept + count) : NULL;

	if (kept) {
		kept->next = all;
		all = kept;
		return kept->bytes;
	}
	if (count)
		abort();
	while ((kept = all)) {
		all = kept->next;
		free(kept);
	}
	return NULL;
}

static struct gt_text block_of(uint32_t first)
{
	char *bytes = keep(BLOCK * 4);
	struct gt_text text = {bytes, 0};
	uint32_t c;

	for (c = first; c < first + BLOCK; c++)
		if (c < 0xd800 || c > 0xdfff)
			text.count += put_code_point(bytes + text.count, c);
	return text;
}

/* Texts that would do something in a page that took them for markup. */
static const char *const attacks[] = {
	"</script><script>window.attacked = 1</script>",
	"<!--<script>window.attacked = 1</script>",
	"--></SCRIPT ><svg onload=window.attacked=1>",
	"<img src=x onerror=window.attacked=1>",
	"\"><iframe srcdoc='<script>parent.attacked=1</script>'></iframe>",
	"<style>*{background:url(http://127.0.0.1:9/)}</style>",
	"<link rel=stylesheet href=http://127.0.0.1:9/><base href=//x>",
	"<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
	"${window.attacked=1} {{data}} {{script}} $& $' $`",
	"javascript:window.attacked=1",
	"__proto__",
	"constructor",
	"';window.attacked=1;//\\",
	"\\u003c/script>\\",
	"]]></script><![CDATA[",
	"&lt;b&gt;&#x3c;script&#x3e;",
	"\xe2\x80\xaetxet\xe2\x80\xac \xe2\x81\xa6isolate",
	"]}\n</script>\n{\"traces\":[",
};
#define ATTACKS (sizeof attacks / sizeof *attacks)

/* The text in every place that takes one; those of `large` in fewer. */
static void hostile_span(struct syn *s, struct gt_text text, bool large)
{
	struct gt_site_view *site = keep(sizeof *site);
	struct gt_field field = {
		.key = text,
		.type = GT_TYPE_STRING,
		.value.text = text,
		.full_bytes = (uint32_t)text.count,
	};
	struct syn_span *span;

	*site = (struct gt_site_view){text, text, text, 1, GT_ERROR,
	                                {NULL, 0}};
	if (large)
		site->target = site->file = syn_text("t");
	span = syn_open_with(s, site, NULL, 0, 10 * s->sequence, true, &field,
	                     1);
	syn_event(s, site, span, 0, 10 * s->sequence, &field, large ? 0 : 1);
	span->view.status = GT_STATUS_ERROR;
	if (!large)
		span->view.status_text = text;
	syn_close(s, span, 0, 10 * s->sequence + 10);
}

static void hostile_runs(struct syn *s)
{
	uint32_t c, i;

	syn_begin(s, 0, attacks[0]);
	s->trace.vm_name = s->trace.backend = syn_text(attacks[3]);
	for (i = 0; i < ATTACKS; i++)
		hostile_span(s, syn_text(attacks[i]), false);
	s->summary.ending = GT_ENDING_ABORTED;
	s->summary.message = syn_text(attacks[1]);
	syn_end(s, 10 * s->sequence + 10);
	syn_begin(s, 1, "\xe2\x80\xae unicode");
	for (c = 0; c < 0x110000; c += BLOCK)
		if (c < 0xd800 || c > 0xdfff)
			hostile_span(s, block_of(c), true);
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, 10 * s->sequence + 10);
}

static void close_one(struct syn *s, const struct gt_site_view *site,
                      uint64_t id, uint64_t parent, uint64_t from_ns,
                      uint64_t to_ns)
{
	struct gt_field field = {
		.key = {"n", 1}, .type = GT_TYPE_U64, .value.u64 = id};
	struct gt_span_view v = {
		.id = id,
		.parent_id = parent,
		.guest_id = id,
		.start_ns = s->trace.start_ns + from_ns,
		.end_ns = s->trace.start_ns + to_ns,
		.sequence = id,
		.site = site,
		.fields = &field,
		.field_count = 1,
		.entered = true,
	};
	size_t i;

	for (i = 0; i < s->sink_count; i++)
		s->error |= s->sinks[i]->close(s->sinks[i], &s->trace, &v);
	s->summary.spans++;
}

/* `count` spans: requests of 20, of different lengths, the last fifth of them
 * so short that an excerpt has none of it. */
static void large_run(struct syn *s, uint64_t count)
{
	uint64_t id, parent = 0, at = 0, start, length;
	uint32_t random = 1;

	syn_begin(s, 0, "large");
	for (id = 1; id <= count; id++) {
		bool shortest = id > count - count / 5;

		random = random * 1664525u + 1013904223u;
		if (id % 20 == 1) {
			parent = id;
			at += 100000;
			close_one(s, &sites[0], id, 0, at,
			          at + (shortest ? 40 : 90000));
			continue;
		}
		length = shortest ? 1 : 100 + (random >> 20);
		start = at + id % 20 * (shortest ? 1 : 4500);
		close_one(s, &sites[1 + id % 2], id, parent, start,
		          start + (length < 4400 ? length : 4400));
	}
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, at + 100000);
}

#define DEPTH 10000u

/* Runs with little in them, or with times that cannot be. */
static void extreme_runs(struct syn *s)
{
	uint64_t id;
	uint32_t i;

	syn_begin(s, 0, "far");
	s->trace.start_ns = 0;
	close_one(s, &sites[0], 1, 0, 0, UINT64_MAX);
	close_one(s, &sites[1], 2, 1, UINT64_C(1) << 63, UINT64_C(1) << 63);
	close_one(s, &sites[3], 3, 0, UINT64_MAX, UINT64_MAX);
	syn_end(s, UINT64_MAX);
	syn_begin(s, 1, "at once");
	s->trace.start_ns = 0;
	for (id = 1; id <= 100; id++)
		close_one(s, &sites[id % 4], id, 0, 0, 0);
	syn_end(s, 0);
	syn_begin(s, 2, "deep");
	for (id = 1; id <= DEPTH; id++)
		close_one(s, &sites[id % 4], id, id - 1, id, 3 * DEPTH - id);
	syn_end(s, 3 * DEPTH);
	syn_begin(s, 3, "events");
	for (i = 0; i < 64; i++)
		syn_event(s, &sites[3], NULL, i % 2, i, NULL, 0);
	syn_end(s, 100);
	syn_begin(s, 4, "nothing");
	syn_end(s, 0);
}

int main(int argc, char **argv)
{
	struct syn s = {0};
	struct gt_output page = {.write = write_file};
	struct gt_output report = {.write = write_file};
	bool failed;

	if (argc != 3) {
		fprintf(stderr, "usage: html_sample KIND DIRECTORY\n");
		return 2;
	}
	page.context = open_file(argv[2], "page.html");
	if (gt_html_new(&page, &s.sinks[s.sink_count++]))
		return 1;
	if (!strtoull(argv[1], NULL, 10)) {
		report.context = open_file(argv[2], "report.json");
		if (gt_report_json_new(&report, &s.sinks[s.sink_count++]))
			return 1;
	}
	if (!strcmp(argv[1], "hostile")) {
		hostile_runs(&s);
	} else if (!strcmp(argv[1], "extremes")) {
		extreme_runs(&s);
	} else if (!strcmp(argv[1], "planted")) {
		gt__planted_runs(&s);
	} else if (!strcmp(argv[1], "joined")) {
		gt__joined_runs(&s);
	} else if (!strcmp(argv[1], "everything")) {
		syn_everything(&s, 0);
		watched_run(&s, 1);
		syn_random(&s, 2, 2, 2000);
	} else {
		large_run(&s, strtoull(argv[1], NULL, 10));
	}
	failed = syn_finish(&s) != 0;
	failed |= fclose(page.context) != 0;
	if (report.context)
		failed |= fclose(report.context) != 0;
	syn_free(&s);
	keep(0);
	return failed;
}
