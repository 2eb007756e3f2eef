/* SPDX-License-Identifier: MIT */
/*
 * How fast exporters write: spans per second, the median over the runs, of a
 * span with two integers and a string in three levels, each with an event in
 * every second one. Prints `NAME VALUE UNIT`, one line per exporter.
 *
 *   bench_export [RUNS]
 */
#include <guesttrace/export.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPANS    100000u
#define SITES    64u
#define RUNS     15u
#define RUNS_MAX 1000u

static uint64_t written;

static int discard(void *context, const void *bytes, size_t count)
{
	(void)context;
	(void)bytes;
	written += count;
	return 0;
}

static char names[SITES][16];
static struct gt_site_view sites[SITES];

static struct gt_text text_of(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

static void make_sites(void)
{
	for (unsigned i = 0; i < SITES; i++) {
		snprintf(names[i], sizeof(names[i]), "work.%u", i);
		sites[i] = (struct gt_site_view){
			.name = text_of(names[i]),
			.target = text_of("bench"),
			.file = text_of("bench_export.c"),
			.line = i,
			.level = GT_INFO,
		};
	}
}

static void put_event(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span,
                      const struct gt_field *fields)
{
	struct gt_event_view event = {
		.time_ns = span->start_ns,
		.span_id = span->id,
		.site = span->site,
		.fields = fields,
		.field_count = 1,
	};

	if (sink->event)
		sink->event(sink, trace, &event);
}

/* A span, what is in it, and its end. */
static void put_span(struct gt_sink *sink, const struct gt_trace *trace,
                     uint64_t *number, const struct gt_span_view *parent,
                     unsigned depth)
{
	struct gt_field fields[3] = {
		{.key = text_of("len"), .type = GT_TYPE_U64},
		{.key = text_of("offset"), .type = GT_TYPE_U64},
		{.key = text_of("path"),
	         .type = GT_TYPE_STRING,
	         .value.text = text_of("/srv/data/a")},
	};
	struct gt_span_view span = {
		.id = UINT64_C(0x5bd1e99500000000) + ++*number * 40,
		.parent_id = parent ? parent->id : 0,
		.start_ns = trace->start_ns + *number * 100,
		.end_ns = trace->start_ns + *number * 100,
		.site = &sites[*number % SITES],
		.fields = fields,
		.field_count = 3,
		.entered = true,
	};

	fields[0].value.u64 = *number * 17;
	fields[1].value.u64 = *number << 12;
	if (sink->open)
		sink->open(sink, trace, &span);
	if (*number & 1)
		put_event(sink, trace, &span, fields);
	if (depth)
		put_span(sink, trace, number, &span, depth - 1);
	span.end_ns = trace->start_ns + *number * 100 + 50;
	sink->close(sink, trace, &span);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double spans_per_second(int (*make)(const struct gt_output *,
                                           struct gt_sink **))
{
	const struct gt_output output = {.write = discard};
	const struct gt_summary summary = {.spans = SPANS};
	struct gt_trace trace = {
		.start_ns = UINT64_C(1795420800123456789),
		.vcpus = 1,
		.guest_name = text_of("bench"),
	};
	struct gt_sink *sink;
	uint64_t number = 0;
	double start;

	if (make(&output, &sink) < 0)
		exit(1);
	sink->begin(sink, &trace);
	start = seconds();
	while (number < SPANS)
		put_span(sink, &trace, &number, NULL, 2);
	sink->end(sink, &trace, &summary);
	sink->finish(sink);
	start = seconds() - start;
	sink->free(sink);
	return (double)number / start;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*make)(const struct gt_output *, struct gt_sink **);
	} exporters[] = {
		{"spans_to_perfetto", gt_perfetto_new},
		{"spans_to_chrome", gt_chrome_new},
		{"spans_to_csv", gt_csv_new},
	};
	enum {
		EXPORTERS = sizeof(exporters) / sizeof(exporters[0])
	};
	static double rates[EXPORTERS][RUNS_MAX];
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RUNS;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	make_sites();
	for (unsigned long i = 0; i < runs; i++)
		for (unsigned j = 0; j < EXPORTERS; j++)
			rates[j][i] = spans_per_second(exporters[j].make);
	for (unsigned j = 0; j < EXPORTERS; j++) {
		qsort(rates[j], runs, sizeof(double), compare);
		printf("%s %.0f spans/s\n", exporters[j].name,
		       rates[j][runs / 2]);
	}
	return 0;
}
