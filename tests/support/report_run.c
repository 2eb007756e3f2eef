/* SPDX-License-Identifier: MIT */
#include "report_run.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

const struct gt_site_view outer = {
	.name = {"outer", 5},
	.target = {"t", 1},
	.level = GT_INFO,
};
const struct gt_site_view inner = {
	.name = {"inner", 5},
	.target = {"t", 1},
	.level = GT_INFO,
};
const struct gt_site_view leaf = {
	.name = {"leaf", 4},
	.target = {"t", 1},
	.level = GT_INFO,
};
const struct gt_site_view note = {
	.name = {"note", 4},
	.target = {"t", 1},
	.level = GT_INFO,
};

int write_all(void *context, const void *bytes, size_t count)
{
	gt__put_bytes(context, bytes, count);
	return 0;
}

static void add_stretch(struct syn *s, enum gt_host_span_kind kind,
                        uint64_t from_ns, uint64_t to_ns, uint64_t waiting_ns,
                        uint64_t parent_id)
{
	struct gt_host_span_view view = {
		.id = 7,
		.parent_id = parent_id,
		.start_ns = s->trace.start_ns + from_ns,
		.end_ns = s->trace.start_ns + to_ns,
		.kind = kind,
		.reason = GT_EXIT_IO,
		.port = 103,
		.waiting_ns = waiting_ns,
	};

	assert_int_equal(s->sinks[0]->host_span(s->sinks[0], &s->trace, &view),
	                 0);
}

static void run(struct syn *s)
{
	struct syn_span *a, *b, *c;

	syn_begin(s, 0, "g.elf");
	a = syn_open(s, &outer, NULL, 0, 0, true);
	syn_event(s, &note, a, 0, 500, NULL, 0);
	b = syn_open(s, &inner, a, 0, 1000, true);
	c = syn_open(s, &leaf, b, 0, 2000, true);
	syn_close(s, c, 0, 2500);
	syn_event(s, &note, b, 0, 3000, NULL, 0);
	if (s->sinks[0]->host_span) {
		add_stretch(s, GT_HOST_GUEST, 0, 4000, 1000, s->trace.run_id);
		add_stretch(s, GT_HOST_EXIT, 4000, 5000, 0, b->view.id);
		add_stretch(s, GT_HOST_GUEST, 5000, 30000, 0, s->trace.run_id);
	}
	syn_close(s, b, 0, 5000);
	syn_close(s, a, 0, 10000);
	c = syn_open(s, &leaf, NULL, 0, 20000, true);
	syn_close(s, c, 0, 20100);
	syn_end(s, 30000);
}

char *printed(new_fn *new_sink, struct gt_report_options options)
{
	struct gt_output none = {0};
	struct gt__out text;
	struct gt_output output = {write_all, &text};
	struct syn s = {.sink_count = 1};
	char *copy;

	gt__out_init(&text, &none);
	options.size = sizeof options;
	assert_int_equal(new_sink(&output, &options, &s.sinks[0]), 0);
	run(&s);
	assert_int_equal(syn_finish(&s), 0);
	syn_free(&s);
	copy = malloc(text.used + 1);
	assert_non_null(copy);
	memcpy(copy, text.bytes, text.used);
	copy[text.used] = '\0';
	gt__out_fini(&text);
	return copy;
}

void traced(struct syn *s, uint32_t index, const struct gt_site_view *site,
            uint64_t duration_ns, const struct gt_site_view *other)
{
	struct syn_span *span;

	syn_begin(s, index, "g");
	span = syn_open(s, site, NULL, 0, 0, true);
	syn_close(s, span, 0, duration_ns);
	span = syn_open(s, other, NULL, 0, 5000, true);
	syn_close(s, span, 0, 5010);
	syn_end(s, 6000);
}
