/* SPDX-License-Identifier: MIT */
/*
 * An exporter of one's own, on a capture: counts the spans of each call site.
 *
 *     cc count_spans.c $(pkg-config --cflags --libs guesttrace-host)
 *     ./a.out FILE.gtrace
 */
#include <guesttrace/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES_MAX 1000

struct counter {
	struct gt_sink sink; /* first, so that a sink is a counter */
	/* Two sites are one if their pointers are equal. */
	const struct gt_site_view *sites[SITES_MAX];
	unsigned long spans[SITES_MAX];
	size_t count;
};

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	struct counter *counter = (struct counter *)sink;
	size_t i = 0;

	(void)trace;
	while (i < counter->count && counter->sites[i] != span->site)
		i++;
	if (i == SITES_MAX)
		return 0;
	if (i == counter->count)
		counter->sites[counter->count++] = span->site;
	counter->spans[i]++;
	return 0;
}

/* The sites are there until this returns. */
static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	struct counter *counter = (struct counter *)sink;

	(void)trace;
	(void)summary;
	for (size_t i = 0; i < counter->count; i++)
		printf("%lu %.*s\n", counter->spans[i],
		       (int)counter->sites[i]->name.count,
		       counter->sites[i]->name.bytes);
	counter->count = 0;
	return 0;
}

static long read_file(void *context, void *bytes, size_t count)
{
	return (long)fread(bytes, 1, count, context);
}

int main(int argc, char **argv)
{
	static struct counter counter;
	struct gt_sink *sink = &counter.sink;
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.sinks = &sink,
		.sink_count = 1,
	};
	int r;

	options.context = argc == 2 ? fopen(argv[1], "rb") : NULL;
	if (!options.context) {
		fprintf(stderr, "usage: count_spans CAPTURE\n");
		return 2;
	}
	sink->close = on_close;
	sink->end = on_end;
	r = gt_replay(&options);
	fclose(options.context);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[1], gt_error_text(r));
	return r < 0;
}
