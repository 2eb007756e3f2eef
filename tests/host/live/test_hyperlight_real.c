/* SPDX-License-Identifier: MIT */
/*
 * Whole runs of real Hyperlight guests through the library, held against what
 * Hyperlight's own host made of them: tests/vectors/hyperlight-real.
 */
#include <guesttrace/host.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#define RAM_BYTES ((size_t)1 << 20)
#define ONE       0x10000u /* where batches lie in turns */
#define OTHER     0x20000u
#define SPANS_MAX 4096u
#define NAME_MAX_ 64u

static const char *vectors;

/* ---- The recorded run ---------------------------------------------------- */

static uint8_t run[1 << 20];
static size_t run_bytes;

static void load_run(const char *name)
{
	char path[512];
	gzFile file;
	int count;

	snprintf(path, sizeof(path), "%s/hyperlight-real/%s.batches.gz",
	         vectors, name);
	file = gzopen(path, "rb");
	assert_non_null(file);
	count = gzread(file, run, sizeof(run));
	gzclose(file);
	assert_true(count > 0 && (size_t)count < sizeof(run));
	run_bytes = (size_t)count;
}

struct recorded {
	uint32_t count, wire;
	uint64_t tsc; /* of the host, behind the exit */
	const uint8_t *bytes;
};

static bool next(size_t *at, struct recorded *ret_batch)
{
	if (*at == run_bytes)
		return false;
	memcpy(ret_batch, run + *at, 16);
	ret_batch->bytes = run + *at + 16;
	*at += 16 + ret_batch->count;
	assert_true(*at <= run_bytes);
	return true;
}

/* ---- What is shown ------------------------------------------------------- */

struct shown {
	uint64_t id, parent, start_ns, end_ns;
	char name[NAME_MAX_];
};

static struct shown spans[SPANS_MAX];
static struct shown events[SPANS_MAX];
static size_t span_count, event_count;
static struct gt_summary summary;

static void keep_name(char *to, struct gt_text name)
{
	assert_true(name.count < NAME_MAX_);
	memcpy(to, name.bytes, name.count);
	to[name.count] = 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *view)
{
	struct shown *span = &spans[span_count++];

	(void)sink;
	(void)trace;
	assert_true(span_count < SPANS_MAX);
	*span = (struct shown){view->id, view->parent_id, view->start_ns,
	                       view->end_ns, ""};
	keep_name(span->name, view->site->name);
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *view)
{
	(void)sink;
	(void)trace;
	assert_true(event_count + 1 < SPANS_MAX);
	keep_name(events[event_count++].name, view->site->name);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *end)
{
	(void)sink;
	(void)trace;
	summary = *end;
	return 0;
}

static const struct shown *span_of(uint64_t id)
{
	for (size_t i = 0; i < span_count; i++)
		if (spans[i].id == id)
			return &spans[i];
	return NULL;
}

/* As Hyperlight's host has it; "-": a span of the host's own is above. */
static unsigned count_spans(const char *name, const char *parent)
{
	unsigned count = 0;

	for (size_t i = 0; i < span_count; i++) {
		const struct shown *above = span_of(spans[i].parent);

		if (strcmp(spans[i].name, name) == 0 &&
		    strcmp(above ? above->name : "-", parent) == 0)
			count++;
	}
	return count;
}

static unsigned count_events(const char *name)
{
	unsigned count = 0;

	for (size_t i = 0; i < event_count; i++)
		count += strcmp(events[i].name, name) == 0;
	return count;
}

static void compare(const char *name)
{
	char path[512], line[512];
	size_t span_sum = 0, event_sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/hyperlight-real/%s.txt", vectors,
	         name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *part[4] = {line};

		for (unsigned i = 1; i < 4; i++) {
			part[i] = strchr(part[i - 1], '\t');
			assert_non_null(part[i]);
			*part[i]++ = 0;
		}
		if (strcmp(part[0], "span") == 0) {
			span_sum += strtoul(part[3], NULL, 10);
			assert_int_equal(count_spans(part[1], part[2]),
			                 strtoul(part[3], NULL, 10));
		} else {
			event_sum += strtoul(part[3], NULL, 10);
			assert_int_equal(count_events(part[1]),
			                 strtoul(part[3], NULL, 10));
		}
	}
	fclose(file);
	assert_int_equal(span_count, span_sum);
	assert_int_equal(event_count, event_sum);
}

/* ---- The host ------------------------------------------------------------ */

static uint64_t now_tsc;
static uint8_t *ram;
static struct gt_host *host;

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	now_tsc++;
	*ret_reading = (struct gt_clock_reading){
		.tsc = now_tsc,
		.monotonic_ns = now_tsc,
		.realtime_ns = now_tsc,
	};
}

static void start(struct gt_sink *sink, const struct recorded *first)
{
	struct gt_sink *sinks[] = {sink};
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory = {{.bytes = RAM_BYTES, .host = ram}},
		.memory_slots = 1,
		.sinks = sinks,
		.sink_count = 1,
		.wire = (enum gt_wire)first->wire,
		.read_clock = read_clock,
	};

	span_count = event_count = 0;
	/* Somewhat before the guest's own first moment. */
	now_tsc = first->tsc - (UINT64_C(1) << 30);
	memset(ram, 0, RAM_BYTES);
	*(uint64_t *)(void *)(ram + 0x1000) = 0x2003;
	*(uint64_t *)(void *)(ram + 0x2000) = 0x3003;
	*(uint64_t *)(void *)(ram + 0x3000) = 0x83;
	assert_int_equal(gt_host_new(&options, &host), 0);
}

static void stop(void)
{
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 0, NULL), 0);
	gt_host_free(host);
	assert_int_equal(summary.losses.adjusted_records, 0);
	assert_int_equal(summary.losses.late_records, 0);
	assert_int_equal(summary.losses.bad_records, 0);
	assert_int_equal(summary.losses.bad_requests, 0);
	assert_int_equal(summary.losses.unknown_spans, 0);
	assert_int_equal(summary.losses.replaced_spans, 0);
	assert_true(summary.clock.flags & GT_CLOCK_ESTIMATED);
}

static int send(unsigned port, uint32_t at, size_t count)
{
	struct gt_exit exit = {
		.size = sizeof(exit),
		.reason = port ? GT_EXIT_IO : GT_EXIT_HALT,
		.port = (uint16_t)port,
		.width_bytes = port == 109 ? 4 : 1,
		.out = true,
		.count = 1,
		.r8 = GT_BATCH_MAGIC,
		.r9 = at,
		.r10 = count,
		.cr0 = 0x80000001,
		.cr3 = 0x1000,
		.cr4 = 0x20,
		.efer = 0x500,
		.tsc_offset = GT_TSC_OFFSET_UNKNOWN,
	};

	return gt_host_exit(host, 0, &exit);
}

static void send_again(unsigned port, uint32_t at, size_t count)
{
	gt_host_enter(host, 0, 0);
	assert_int_equal(send(port, at, count), 0);
}

/* The guest stays away for as long as it did. */
static void move_to(uint64_t tsc)
{
	assert_true((int64_t)(tsc - now_tsc) > 0);
	now_tsc = tsc;
}

static struct gt_sink sink = {
	.close = on_close, .event = on_event, .end = on_end};

static void as_bytes(const char *name)
{
	struct recorded batch;
	size_t at = 0;

	load_run(name);
	for (unsigned i = 0; next(&at, &batch); i++) {
		if (i == 0)
			start(&sink, &batch);
		move_to(batch.tsc);
		assert_int_equal(gt_host_batch(host, 0, batch.bytes,
		                               batch.count, 0,
		                               GT_TSC_OFFSET_UNKNOWN),
		                 0);
	}
	stop();
	assert_int_equal(summary.losses.repeated_batches, 0);
	compare(name);
}

/* With registers that come back: of each batch, and of the one before. */
static void by_exits(const char *name)
{
	static const unsigned ports[] = {109, 99,  101, 102, 109, 103,
	                                 104, 109, 108, 0,   110};
	uint32_t place = ONE, before = 0;
	size_t at = 0, before_count = 0;
	struct recorded batch;

	load_run(name);
	for (unsigned i = 0; next(&at, &batch); i++) {
		if (i == 0)
			start(&sink, &batch);
		memcpy(ram + place, batch.bytes, batch.count);
		gt_host_enter(host, 0, 0);
		move_to(batch.tsc);
		send(ports[i % (sizeof(ports) / sizeof(ports[0]))], place,
		     batch.count);
		if (before)
			send_again(109, before, before_count);
		send_again(101, place, batch.count);
		send_again(106, place, batch.count - 1); /* carries none */
		before = place;
		before_count = batch.count;
		place = place == ONE ? OTHER : ONE;
	}
	stop();
	assert_true(summary.losses.repeated_batches > 200);
	compare(name);
}

static void a_run_of_0_18_given_as_bytes(void **state)
{
	(void)state;
	as_bytes("rust-0.18");
	assert_int_equal(span_count, 764);
}

static void a_run_of_0_18_taken_from_exits(void **state)
{
	(void)state;
	by_exits("rust-0.18");
}

static void a_run_of_0_11_given_as_bytes(void **state)
{
	(void)state;
	as_bytes("rust-0.11");
	assert_int_equal(span_count, 856);
}

static void a_run_of_0_11_taken_from_exits(void **state)
{
	(void)state;
	by_exits("rust-0.11");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_of_0_18_given_as_bytes),
		cmocka_unit_test(a_run_of_0_18_taken_from_exits),
		cmocka_unit_test(a_run_of_0_11_given_as_bytes),
		cmocka_unit_test(a_run_of_0_11_taken_from_exits),
	};
	int failed;

	if (argc < 2)
		return 2;
	vectors = argv[1];
	ram = aligned_alloc(4096, RAM_BYTES);
	if (!ram)
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(ram);
	return failed;
}
