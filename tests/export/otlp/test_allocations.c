/* SPDX-License-Identifier: MIT */
/*
 * After its first drains the host allocates nothing, however many records come:
 * calls of malloc and its kin are counted, from bytes to OTLP.
 */
#include "export/otlp/otlp_encoder.h"
#include "host/pipeline/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SITES_GVA  UINT64_C(0x400000)
#define SITE_BYTES 64u
#define SPANS      1000u /* of one drain, each with an event */
#define DRAINS     2000u
#define WARM_UP    130u /* as many readings as are kept of what is old */

static uint64_t calls;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	calls++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	calls++;
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	calls++;
	return __real_realloc(old, bytes);
}

static struct gt__frame_buffer frame;
static uint64_t now_ns = 1000; /* TSC = ns */

static void show(struct gt__pipeline *pipeline, enum gt__frame_type type)
{
	assert_int_equal(gt__pipeline_frame(pipeline, type, 0,
	                                    frame.bytes + GT__FRAME_HEAD,
	                                    frame.count - GT__FRAME_HEAD),
	                 0);
}

static void put_site(enum gt_site_kind kind)
{
	static const char texts[] = "name\0app\0app.c\0ukey\0stext";
	struct gt_site site = {.kind = (uint8_t)kind,
	                       .level = GT_INFO,
	                       .fields = 2,
	                       .size = SITE_BYTES,
	                       .magic = GT_SITE_MAGIC};
	char padded[SITE_BYTES - sizeof(site)] = "";

	memcpy(padded, texts, sizeof(texts));
	gt__frame_put(&frame, &site, sizeof(site));
	gt__frame_put(&frame, padded, sizeof(padded));
}

static struct gt__pipeline *begin(struct gt_sink *sink)
{
	struct gt_limits limits = {.open_spans = 0};
	struct gt__pipeline *pipeline;

	assert_int_equal(gt__pipeline_new(&sink, 1, 0, &limits, &pipeline), 0);
	gt__frame_begin(&frame);
	gt__frame_put64(&frame, GT__CAPTURE_MAGIC);
	gt__frame_put32(&frame, GT_ABI_VERSION);
	gt__frame_put32(&frame, 1);
	gt__frame_put(&frame, "0123456789abcdef", 16);
	for (unsigned i = 0; i < 7; i++)
		gt__frame_put64(&frame, 0);
	gt__frame_put64(&frame, now_ns);
	gt__frame_put64(&frame, now_ns);
	gt__frame_put64(&frame, 0);
	for (unsigned i = 0; i < 3; i++)
		gt__frame_put_text(&frame, "name", 4);
	show(pipeline, GT__FRAME_START);
	gt__frame_begin(&frame);
	gt__frame_put32(&frame, 0);
	gt__frame_put32(&frame, 1);
	gt__frame_put64(&frame, SITES_GVA);
	gt__frame_put64(&frame, 0);
	for (unsigned i = 0; i < GT_LEVELS; i++)
		gt__frame_put64(&frame, 4096);
	show(pipeline, GT__FRAME_GUEST);
	gt__frame_begin(&frame);
	put_site(GT_SITE_SPAN);
	put_site(GT_SITE_EVENT);
	show(pipeline, GT__FRAME_SITES);
	return pipeline;
}

static void put_record(unsigned site, enum gt_record_kind kind, uint64_t words)
{
	gt__frame_put64(&frame, (SITES_GVA + site * SITE_BYTES) | words << 32 |
	                                (uint64_t)kind << 48);
	gt__frame_put64(&frame, now_ns += 20);
}

static void put_values(uint64_t i)
{
	gt__frame_put64(&frame, i);
	gt__frame_put64(&frame, UINT64_C(8) << 32 | 8);
	gt__frame_put(&frame, "textured", 8);
}

/* Spans that nest in tens, each with an event. */
static void put_spans(uint64_t pos)
{
	uint64_t ids[10];
	size_t from = frame.count;

	for (unsigned i = 0; i < SPANS; i++) {
		ids[i % 10] = GT_ID_BASE(0, 0) + pos + frame.count - from;
		put_record(0, GT_RECORD_SPAN, 5);
		put_values(i);
		put_record(1, GT_RECORD_EVENT, 5);
		put_values(i);
		for (unsigned j = 10; i % 10 == 9 && j-- > 0;) {
			put_record(0, GT_RECORD_CLOSE, 3);
			gt__frame_put64(&frame, ids[j]);
		}
	}
}

/* Returns the position behind its records. */
static uint64_t drain(struct gt__pipeline *pipeline, uint64_t pos)
{
	const size_t head = GT__FRAME_HEAD + GT__RECORDS_HEAD;
	uint8_t *level;

	gt__frame_begin(&frame);
	for (unsigned i = 0; i < GT__RECORDS_HEAD / 8; i++)
		gt__frame_put64(&frame, 0);
	put_spans(pos);
	now_ns += 20;
	gt__store64(frame.bytes + GT__FRAME_HEAD, now_ns);
	gt__store64(frame.bytes + GT__FRAME_HEAD + 8, now_ns);
	level = frame.bytes + head - GT_LEVELS * 16;
	gt__store64(level, pos);
	gt__store64(level + 8, frame.count - head);
	show(pipeline, GT__FRAME_RECORDS);
	/* All was read after its last record: the frame begins with that. */
	assert_int_equal(gt__pipeline_frame(pipeline, GT__FRAME_MERGE, 0,
	                                    frame.bytes + GT__FRAME_HEAD, 8),
	                 0);
	return pos + frame.count - head;
}

static int count_spans(void *context, const void *bytes, size_t count,
                       uint64_t spans)
{
	(void)bytes;
	(void)count;
	*(uint64_t *)context += spans;
	return 0;
}

static void two_million_spans_allocate_nothing(void **unused)
{
	uint64_t spans = 0, pos = 0, before = 0;
	const struct gt__otlp_encoder_options options = {.request = count_spans,
	                                                 .context = &spans};
	struct gt__pipeline *pipeline;
	struct gt_sink *sink;

	(void)unused;
	assert_int_equal(gt__otlp_protobuf_requests_new(&options, &sink), 0);
	pipeline = begin(sink);
	for (unsigned i = 0; i < WARM_UP + DRAINS; i++) {
		if (i == WARM_UP)
			before = calls;
		pos = drain(pipeline, pos);
	}
	assert_true(before > 0); /* they are counted */
	assert_int_equal(calls, before);
	assert_int_equal(gt__pipeline_finish(pipeline, 0, 0, 0), 0);
	assert_int_equal(sink->finish(sink), 0);
	assert_int_equal(spans, (WARM_UP + DRAINS) * SPANS + 1);
	gt__pipeline_free(pipeline);
	sink->free(sink);
	free(frame.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_million_spans_allocate_nothing),
	};

	return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
