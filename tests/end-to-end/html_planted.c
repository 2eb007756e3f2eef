/* SPDX-License-Identifier: MIT */
#include "html_planted.h"
#include <string.h>

#define REQUESTS 300u
#define SLOW     137u
#define FLUSHES  10u /* requests before each one */

static const struct gt_site_view request_site = {
	{"request", 7}, {"app", 3}, {"app.c", 5}, 10, GT_INFO, {NULL, 0}};
static const struct gt_site_view parse_site = {
	{"parse", 5}, {"app", 3}, {"app.c", 5}, 20, GT_DEBUG, {NULL, 0}};
static const struct gt_site_view work_site = {
	{"work", 4}, {"app", 3}, {"app.c", 5}, 30, GT_DEBUG, {NULL, 0}};
static const struct gt_site_view flush_site = {
	{"flush", 5}, {"app", 3}, {"app.c", 5}, 40, GT_INFO, {NULL, 0}};
static const struct gt_site_view retry_site = {
	{"retry", 5}, {"app", 3}, {"app.c", 5}, 50, GT_WARN, {NULL, 0}};
static const struct gt_site_view queue_site = {
	{"queue", 5}, {"app", 3}, {"app.c", 5}, 60, GT_INFO, {NULL, 0}};
static const struct gt_site_view call_site = {
	{"call", 4}, {"rpc", 3}, {"rpc.c", 5}, 10, GT_INFO, {NULL, 0}};
static const struct gt_site_view handle_site = {
	{"handle", 6}, {"rpc", 3}, {"rpc.c", 5}, 20, GT_INFO, {NULL, 0}};

static uint64_t noise(uint32_t *state, uint32_t most)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % most;
}

static struct gt_field text_field(const char *key, const char *value)
{
	return (struct gt_field){
		.key = syn_text(key),
		.type = GT_TYPE_STRING,
		.value.text = syn_text(value),
		.full_bytes = (uint32_t)strlen(value),
	};
}

/* Returns when it ended. */
static uint64_t request(struct syn *s, uint32_t i, bool after, uint64_t at,
                        uint32_t *random)
{
	bool slow = after && i == SLOW;
	struct gt_field fields[] = {
		text_field("op", slow    ? "scan"
	                         : i % 2 ? "set"
	                                 : "get"),
		{.key = {"bytes", 5}, .type = GT_TYPE_U64, .value.u64 = i},
	};
	uint64_t work_ns = 10000 + noise(random, 200);
	struct syn_span *span, *below;

	if (after)
		work_ns += work_ns * 3 / 100;
	if (slow)
		work_ns = 290000;
	span = syn_open_with(s, &request_site, NULL, 0, at, true, fields, 2);
	below = syn_open(s, &parse_site, span, 0, at + 500, true);
	at += 2500 + noise(random, 100);
	syn_close(s, below, 0, at);
	below = syn_open(s, &work_site, span, 0, at + 500, true);
	at += 500 + work_ns;
	if (i % 50 == 49)
		syn_event(s, &retry_site, below, 0, at - 100, fields, 2);
	syn_close(s, below, 0, at);
	span->view.status = i % 100 == 99 ? GT_STATUS_ERROR : GT_STATUS_OK;
	syn_close(s, span, 0, at + 1000);
	return at + 1000;
}

/* In it so many exits; returns when it ended. */
static uint64_t flush(struct syn *s, uint64_t at, unsigned exits,
                      uint64_t *guest_from)
{
	struct syn_span *span = syn_open(s, &flush_site, NULL, 0, at, true);
	struct gt_host_span_view stretch = {
		.reason = GT_EXIT_IO,
		.waiting_ns = 100,
	};

	while (exits--) {
		at += 1000;
		stretch.kind = GT_HOST_GUEST;
		stretch.parent_id = 0;
		stretch.port = 0;
		stretch.start_ns = *guest_from;
		stretch.end_ns = at;
		syn_host(s, stretch);
		stretch.kind = GT_HOST_EXIT;
		stretch.parent_id = span->view.id;
		stretch.port = 0x3f8;
		stretch.start_ns = at;
		stretch.end_ns = *guest_from = at += 1000;
		syn_host(s, stretch);
	}
	syn_close(s, span, 0, at + 1000);
	return at + 1000;
}

static void planted_run(struct syn *s, uint32_t index, bool after)
{
	uint64_t at = 1000, guest_from = 0;
	uint32_t i, random = 7 + index;

	syn_begin(s, index, after ? "after" : "before");
	for (i = 0; i < REQUESTS; i++) {
		struct gt_field depth[] = {
			{.key = {"depth[{request}]", 16},
		         .type = GT_TYPE_U64,
		         .value.u64 = i % 7},
		};

		at = request(s, i, after, at, &random) + 2000;
		syn_counter(s, &queue_site, NULL, 0, at - 1000, depth, 1);
		if (i % FLUSHES == FLUSHES - 1)
			at = flush(s, at, after ? 4 : 1, &guest_from) + 2000;
	}
	syn_host(s, (struct gt_host_span_view){.kind = GT_HOST_GUEST,
	                                       .reason = GT_EXIT_HALT,
	                                       .start_ns = guest_from,
	                                       .end_ns = at});
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, at + 1000);
}

void gt__planted_runs(struct syn *s)
{
	planted_run(s, 0, false);
	planted_run(s, 1, true);
}

#define CALLS 5u

static void joined_run(struct syn *s, uint32_t index, bool server,
                       uint64_t *calls)
{
	uint32_t i;

	syn_begin(s, index, server ? "server" : "client");
	memset(s->trace.trace_id, 0x77, sizeof s->trace.trace_id);
	s->trace.start_ns = UINT64_C(1760000000000000000) + server * 3000;
	for (i = 0; i < CALLS; i++) {
		uint64_t at = 1000 + i * 20000;
		struct syn_span *span;

		span = syn_open(s, server ? &handle_site : &call_site, NULL, 0,
		                at, true);
		if (server) {
			span->view.parent_id = calls[i];
			span->view.parent_remote = true;
		} else {
			calls[i] = span->view.id;
		}
		if (server && !i) {
			span->links[0].span_id = calls[CALLS - 1];
			memset(span->links[0].trace_id, 0x77, 16);
			span->links[0].remote = true;
			span->view.links = span->links;
			span->view.link_count = 1;
		}
		syn_close(s, span, server && !i ? 1 : 0,
		          at + (server ? 6000 : 15000));
	}
	s->summary.ending = GT_ENDING_HALTED;
	syn_end(s, 130000);
}

void gt__joined_runs(struct syn *s)
{
	uint64_t calls[CALLS];

	joined_run(s, 0, false, calls);
	joined_run(s, 1, true, calls);
}
