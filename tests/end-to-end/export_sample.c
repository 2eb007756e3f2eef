/* SPDX-License-Identifier: MIT */
/*
 * export_sample DIRECTORY [small | unicode | nested | keys | wild FIRST COUNT]:
 * writes one file per format, all of the same runs, for the readers in
 * tests/end-to-end/readers to compare. What no report has, the stretches of the
 * host, is in host.jsonl as it was told.
 */
#include "tests/support/synthetic.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *directory;

static int write_file(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -EIO;
}

static FILE *open_file(const char *name)
{
	char path[4096], *slash;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0777);
	*slash = '/';
	file = fopen(path, "wb");
	if (!file) {
		perror(path);
		exit(1);
	}
	return file;
}

/* ---- A directory for CTF ------------------------------------------------- */

static FILE *ctf_files[8192];
static size_t ctf_file_count;

static int create(void *context, const char *name, struct gt_output *ret_output)
{
	char path[256];
	FILE *file;

	(void)context;
	snprintf(path, sizeof path, "%s/ctf", directory);
	mkdir(path, 0777);
	snprintf(path, sizeof path, "ctf/%s", name);
	file = open_file(path);
	ctf_files[ctf_file_count++] = file;
	*ret_output = (struct gt_output){write_file, file};
	return 0;
}

/* ---- The host's stretches as they are ------------------------------------ */

static FILE *host_file;

static void put_name(struct gt_text name)
{
	size_t i;

	for (i = 0; i < name.count; i++)
		if ((unsigned char)name.bytes[i] < 0x80)
			fprintf(host_file, "\\u%04x", name.bytes[i]);
		else
			putc(name.bytes[i], host_file);
}

static int put_host(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_host_span_view *span)
{
	(void)sink;
	fprintf(host_file,
	        "{\"index\":%u,\"id\":\"%016" PRIx64
	        "\",\"parent_id\":\"%016" PRIx64 "\",\"start_ns\":\"%" PRIu64
	        "\",\"end_ns\":\"%" PRIu64
	        "\",\"kind\":%d,\"reason\":%d,\"vcpu\":%u,\"port\":%u,"
	        "\"tracing\":%s,\"waiting_ns\":\"%" PRIu64
	        "\",\"flags\":%u,\"name\":\"",
	        trace->index, span->id, span->parent_id, span->start_ns,
	        span->end_ns, (int)span->kind, (int)span->reason, span->vcpu,
	        span->port, span->tracing ? "true" : "false", span->waiting_ns,
	        span->flags);
	put_name(span->name);
	fprintf(host_file, "\"}\n");
	return 0;
}

static struct gt_sink host_sink = {
	.host_span = put_host,
	.finish = syn_finish_nothing,
	.free = syn_free_nothing,
};

/* ---- Runs ---------------------------------------------------------------- */

/* Spans that nest, exits between them, and no two times that are the same. */
static void nested_run(struct syn *s)
{
	static const struct gt_site_view outer = {
		{"outer", 5}, {"app", 3}, {"app.c", 5}, 1, GT_INFO,
		{"outer_function", 14}};
	static const struct gt_site_view inner = {
		{"inner", 5}, {"app", 3}, {"app.c", 5}, 2, GT_INFO,
		{NULL, 0}};
	struct syn_span *a, *b;
	uint64_t at;

	syn_begin(s, 0, "nested");
	for (at = 1000; at < 101000; at += 1000) {
		a = syn_open(s, &outer, NULL, 0, at + 10, true);
		b = syn_open(s, &inner, a, 0, at + 100, true);
		syn_close(s, b, 0, at + 300);
		syn_close(s, a, 0, at + 600);
		syn_host(s, (struct gt_host_span_view){.kind = GT_HOST_GUEST,
		                                       .start_ns = at,
		                                       .end_ns = at + 700,
		                                       .reason = GT_EXIT_IO});
		syn_host(s, (struct gt_host_span_view){.kind = GT_HOST_EXIT,
		                                       .start_ns = at + 700,
		                                       .end_ns = at + 1000,
		                                       .reason = GT_EXIT_IO});
	}
	syn_end(s, 102000);
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void show(struct syn *s, int argc, char **argv)
{
	unsigned i, count;

	if (argc == 5) {
		count = number(argv[4]);
		for (i = 0; i < count; i++)
			syn_wild(s, i, number(argv[3]) + i + 1, 40);
	} else if (argc == 3 && !strcmp(argv[2], "unicode")) {
		syn_unicode(s, 0);
	} else if (argc == 3 && !strcmp(argv[2], "keys")) {
		syn_keys(s, 0);
	} else if (argc == 3 && !strcmp(argv[2], "nested")) {
		nested_run(s);
	} else {
		syn_everything(s, 0);
		for (i = 1; i < (argc == 3 ? 3 : 12); i++)
			syn_random(s, i, i, argc == 3 ? 100 : 2000);
	}
}

int main(int argc, char **argv)
{
	const struct gt_directory ctf = {.create = create};
	struct gt_output page = {.write = write_file};
	FILE *files[SYN_FORMATS], *page_file;
	struct syn s = {0};
	bool failed;
	size_t i;

	if (argc < 2) {
		fprintf(stderr, "usage: export_sample DIRECTORY "
		                "[small | unicode | nested | keys | wild FIRST "
		                "COUNT]\n");
		return 2;
	}
	directory = argv[1];
	host_file = open_file("host.jsonl");
	for (i = 0; i < SYN_FORMATS; i++) {
		struct gt_output output = {.write = write_file};

		output.context = files[i] = open_file(syn_formats[i].name);
		if (syn_formats[i].make(&output, &s.sinks[s.sink_count++]))
			return 1;
	}
	page_file = open_file("page.html");
	page.context = page_file;
	if (gt_html_new(&page, &s.sinks[s.sink_count++]))
		return 1;
	s.sinks[s.sink_count++] = &host_sink;
	/* A file per vCPU and run, all open until the end: not thousands. */
	if (argc < 5 || number(argv[4]) <= 100) {
		if (gt_ctf_new(&ctf, argc != 3 || strcmp(argv[2], "unicode"),
		               &s.sinks[s.sink_count++]))
			return 1;
	}
	show(&s, argc, argv);
	failed = syn_finish(&s) != 0;
	for (i = 0; i < SYN_FORMATS; i++)
		failed |= fclose(files[i]) != 0;
	for (i = 0; i < ctf_file_count; i++)
		failed |= fclose(ctf_files[i]) != 0;
	failed |= fclose(page_file) != 0;
	failed |= fclose(host_file) != 0;
	syn_free(&s);
	return failed;
}
