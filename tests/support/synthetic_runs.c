/* SPDX-License-Identifier: MIT */
/* Two runs for the exporters: one of everything, and one of anything. */
#include "synthetic.h"
#include <math.h>
#include <string.h>

#define TEXT_(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define SITE_(name, target, line, level)                                   \
	{                                                                  \
		TEXT_(name), TEXT_(target), TEXT_("guest/kernel.c"), line, \
			level                                              \
	}

enum site {
	BOOT,
	REQUEST,
	READ,
	PARSE,
	TIMER,
	TRANSFER,
	HOSTILE,
	MISS,
	PANIC,
	DEPTH,
	LOAD,
	SITES,
};

static const struct gt_site_view sites[SITES] = {
	[BOOT] = SITE_("boot", "kernel", 10, GT_INFO),
	[REQUEST] = SITE_("handle_request", "app", 20, GT_INFO),
	[READ] = SITE_("read_block", "app::fs", 30, GT_DEBUG),
	[PARSE] = SITE_("parse", "app", 40, GT_TRACE),
	[TIMER] = SITE_("timer_interrupt", "kernel::irq", 50, GT_DEBUG),
	[TRANSFER] = SITE_("dma_transfer", "kernel::dma", 60, GT_INFO),
	[HOSTILE] = SITE_("evil\"},{\x1b[2J;\xe2\x80\xae\n,'=<\\\xc2\x9b"
                          "\xf3\xa0\x80\xa1\xe6\xbc\xa2",
                          "t\"\\a;b,c\r\n", 70, GT_WARN),
	[MISS] = SITE_("cache_miss", "app::fs", 80, GT_WARN),
	[PANIC] = SITE_("assertion_failed", "app", 90, GT_ERROR),
	[DEPTH] = SITE_("queue_depth", "app", 100, GT_INFO),
	[LOAD] = SITE_("load", "kernel", 110, GT_INFO),
};

static struct gt_field u64_field(const char *key, uint64_t value)
{
	return (struct gt_field){
		.key = syn_text(key), .type = GT_TYPE_U64, .value.u64 = value};
}

static struct gt_field text_field(const char *key, enum gt_type type,
                                  const char *bytes, size_t count)
{
	return (struct gt_field){
		.key = syn_text(key),
		.type = type,
		.value.text = {bytes, count},
		.full_bytes = (uint32_t)count,
	};
}

/* All types with their extremes. */
static size_t all_fields(struct gt_field *f)
{
	size_t n = 0;

	f[n++] = u64_field("u", 7);
	f[n++] = u64_field("u_max", UINT64_MAX);
	f[n++] = u64_field("u_odd", (UINT64_C(1) << 53) + 1);
	f[n] = u64_field("i_min", 0);
	f[n].type = GT_TYPE_I64;
	f[n++].value.i64 = INT64_MIN;
	f[n] = u64_field("i", 0);
	f[n].type = GT_TYPE_I64;
	f[n++].value.i64 = -3;
	f[n] = u64_field("f", 0);
	f[n].type = GT_TYPE_F64;
	f[n++].value.f64 = 0.1;
	f[n] = u64_field("f_tiny", 0);
	f[n].type = GT_TYPE_F64;
	f[n++].value.f64 = -5e-324;
	f[n] = u64_field("f_nan", 0);
	f[n].type = GT_TYPE_F64;
	f[n++].value.f64 = NAN;
	f[n] = u64_field("f_inf", 0);
	f[n].type = GT_TYPE_F64;
	f[n++].value.f64 = -INFINITY;
	f[n] = u64_field("yes", 0);
	f[n].type = GT_TYPE_BOOL;
	f[n++].value.boolean = true;
	f[n] = u64_field("at", UINT64_C(0xffff800012345678));
	f[n++].type = GT_TYPE_POINTER;
	f[n++] = text_field("raw", GT_TYPE_BYTES, "\0\xff\x80", 3);
	f[n++] = text_field("path", GT_TYPE_STRING, "/etc/hosts", 10);
	f[n++] = text_field("empty", GT_TYPE_STRING, "", 0);
	f[n] = text_field("cut", GT_TYPE_STRING, "a b=\"c\"", 7);
	f[n++].full_bytes = 900;
	f[n++] = text_field("guesttrace.guest_id", GT_TYPE_STRING, "forged", 6);
	f[n++] = text_field("code.file.path", GT_TYPE_STRING, "forged", 6);
	f[n++] = text_field("odd key;=\"\n", GT_TYPE_STRING,
	                    "x\x1b]8;;http://e\x07\xe2\x80\xa8z", 19);
	return n;
}

static void requests(struct syn *s, struct syn_span *boot)
{
	struct gt_field f[SYN_FIELDS];
	struct syn_span *request, *transfer, *read, *timer;
	size_t n = all_fields(f);

	request = syn_open_with(s, &sites[REQUEST], boot, 0, 2000, true, f, n);
	transfer = syn_open_with(s, &sites[TRANSFER], request, 0, 2500, false,
	                         f, 2);
	read = syn_open(s, &sites[READ], request, 0, 3000, true);
	f[0] = u64_field("block", 99);
	syn_event(s, &sites[MISS], read, 0, 3100, f, 1);
	syn_level = 1;
	timer = syn_open(s, &sites[TIMER], NULL, 0, 3200, true);
	syn_level = 0;
	syn_close(s, timer, 0, 3300);
	syn_counter(s, &sites[DEPTH], read, 0, 3400, f, 1);
	syn_late(read, u64_field("bytes", 4096));
	syn_late(read, u64_field("bytes", 8192)); /* again: the last holds */
	read->view.status = GT_STATUS_OK;
	syn_close(s, read, 0, 5000);
	request->view.status = GT_STATUS_ERROR;
	request->view.status_text = syn_text("no such \"file\"\n");
	memcpy(request->links[0].trace_id, s->trace.trace_id, 16);
	request->links[0].span_id = transfer->view.id;
	request->links[0].flags = 1;
	memset(request->links[1].trace_id, 0x5a, 16);
	request->links[1].span_id = UINT64_C(0xb7ad6b7169203331);
	request->links[1].remote = true;
	request->view.link_count = 2;
	request->view.dropped_events = 3;
	syn_close(s, request, 0, 9000);
	syn_close(s, transfer, 1, 12000); /* outlives its parent */
}

/* Spans on one vCPU that do not nest. */
static void overlaps(struct syn *s, struct syn_span *boot)
{
	struct syn_span *a, *b, *c;

	a = syn_open(s, &sites[READ], boot, 0, 20000, true);
	b = syn_open(s, &sites[PARSE], a, 0, 21000, true);
	c = syn_open(s, &sites[HOSTILE], b, 0, 22000, true);
	syn_close(s, a, 0, 23000);
	syn_close(s, c, 0, 24000);
	syn_close(s, b, 0, 25000);
	a = syn_open(s, &sites[TRANSFER], NULL, 1, 20000, false);
	b = syn_open(s, &sites[TRANSFER], NULL, 1, 20500, false);
	c = syn_open(s, &sites[PARSE], b, 1, 20600, true);
	syn_close(s, c, 1, 20700);
	syn_close(s, a, 1, 21000);
	syn_close(s, b, 1, 22000);
}

/* What the host did: exits inside of each other's work, some of no time. */
static void host(struct syn *s, const struct syn_span *boot)
{
#define STRETCH_(...) syn_host(s, (struct gt_host_span_view){__VA_ARGS__})
	uint64_t exit, work;

	STRETCH_(.kind = GT_HOST_GUEST, .start_ns = 400, .end_ns = 2000,
	         .reason = GT_EXIT_IO);
	exit = STRETCH_(.kind = GT_HOST_EXIT, .start_ns = 2000, .end_ns = 2600,
	                .reason = GT_EXIT_IO, .port = 0x3f8,
	                .parent_id = boot->view.id, .waiting_ns = 120);
	work = STRETCH_(.kind = GT_HOST_WORK, .start_ns = 2100, .end_ns = 2600,
	                .parent_id = exit, .name = syn_text("uart \x1b;x"));
	STRETCH_(.kind = GT_HOST_WORK, .start_ns = 2200, .end_ns = 2300,
	         .parent_id = work, .name = syn_text("write"));
	STRETCH_(.kind = GT_HOST_WORK, .start_ns = 2300, .end_ns = 2600,
	         .parent_id = work, .name = syn_text("fsync"));
	STRETCH_(.kind = GT_HOST_GUEST, .start_ns = 2600, .end_ns = 9500,
	         .reason = GT_EXIT_IO, .parent_id = boot->view.id);
	STRETCH_(.kind = GT_HOST_EXIT, .start_ns = 9500, .end_ns = 9500,
	         .reason = GT_EXIT_IO, .port = GT_PORT_TRACE, .tracing = true,
	         .parent_id = boot->view.id);
	STRETCH_(.kind = GT_HOST_GUEST, .start_ns = 9500, .end_ns = 30000,
	         .reason = GT_EXIT_EXCEPTION, .flags = GT_SPAN_INTERRUPTED);
	STRETCH_(.kind = GT_HOST_GUEST, .vcpu = 1, .end_ns = 20800,
	         .reason = GT_EXIT_MMIO);
	exit = STRETCH_(.kind = GT_HOST_EXIT, .vcpu = 1, .start_ns = 20800,
	                .end_ns = 21500, .reason = GT_EXIT_MMIO);
	STRETCH_(.kind = GT_HOST_WORK, .vcpu = 1, .start_ns = 20800,
	         .end_ns = 20800, .parent_id = exit, .name = syn_text("pci"));
	STRETCH_(.kind = GT_HOST_EXIT, .vcpu = 1, .start_ns = 21500,
	         .end_ns = 30000, .reason = GT_EXIT_HALT);
#undef STRETCH_
}

void syn_everything(struct syn *s, uint32_t index)
{
	static const uint64_t lost_records[] = {2, 3};
	struct gt_field f[SYN_FIELDS];
	struct syn_span *boot;

	syn_begin(s, index, "demo-guest");
	all_fields(f);
	syn_event(s, &sites[MISS], NULL, 0, 500, f, 3);
	boot = syn_open(s, &sites[BOOT], NULL, 0, 1000, true);
	requests(s, boot);
	overlaps(s, boot);
	f[0] = u64_field("user", 30);
	f[1] = u64_field("system", 12);
	syn_counter(s, &sites[LOAD], NULL, 1, 25000, f, 2);
	syn_loss(s, 1, 22000, 25200, 3, NULL);
	syn_event(s, &sites[HOSTILE], boot, 0, 25500, f, all_fields(f));
	syn_open(s, &sites[REQUEST], boot, 0, 26000, true);
	f[0] = text_field("expression", GT_TYPE_STRING, "head < tail", 11);
	syn_event(s, &sites[PANIC], s->spans[s->span_count - 1], 0, 27000, f,
	          1);
	syn_loss(s, 0, 25500, 27500, 2, boot);
	host(s, boot);
	s->summary.ending = GT_ENDING_ABORTED;
	s->summary.message = syn_text("assertion failed: head < tail");
	s->summary.exits[1] = 12;
	s->summary.exits[3] = 1;
	s->summary.losses.records = 5;
	s->summary.lost_records = lost_records;
	s->summary.losses.dropped_events = 3;
	syn_end(s, 30000);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static struct syn_span *pick(struct syn *s, uint32_t *state)
{
	size_t tries, last = s->span_count < 24 ? s->span_count : 24;

	for (tries = 0; last && tries < 8; tries++) {
		size_t back = next_random(state) % last;
		struct syn_span *span = s->spans[s->span_count - 1 - back];

		if (span->open)
			return span;
	}
	return NULL;
}

/*
 * Opens and closes at random on two vCPUs whose times rise, each at its own
 * pace: the one may lie far behind the other. A span may be closed by the
 * other vCPU, at that one's time.
 */
void syn_random(struct syn *s, uint32_t index, uint32_t seed, unsigned count)
{
	uint64_t now[2] = {1000, 1500}, end;
	uint32_t state = seed * 2654435761u + 1;
	struct gt_field f = u64_field("n", 0);
	struct syn_span *span;

	syn_begin(s, index, "random");
	while (count--) {
		uint32_t vcpu = next_random(&state) / 7 % 64 < 40 ? 0 : 1;
		uint32_t what = next_random(&state) / 11 % 8;
		const struct gt_site_view *site;

		site = &sites[next_random(&state) / 5 % (HOSTILE + 1)];
		now[vcpu] += next_random(&state) / 3 % 50;
		f.value.u64 = next_random(&state);
		span = pick(s, &state);
		if (what < 3) {
			syn_open_with(s, site, what ? span : NULL, vcpu,
			              now[vcpu], what < 2, &f, 1);
		} else if (what < 6 && span &&
		           (span->view.vcpu == vcpu || what == 5)) {
			if (span->view.sequence % 32 == 7)
				span->view.flags |= GT_SPAN_CLOSE_LOST;
			syn_close(s, span, vcpu, now[vcpu]);
		} else {
			syn_event(s, &sites[MISS], span, vcpu, now[vcpu], &f,
			          1);
		}
	}
	s->summary.ending = GT_ENDING_HALTED;
	end = now[0] > now[1] ? now[0] : now[1];
	syn_end(s, end + 10);
}
