/* SPDX-License-Identifier: MIT */
/*
 * A Hyperlight guest that is snapshotted, called, restored, and that dies in
 * the middle of a call, a hundred times. Each time its RAM lies elsewhere, the
 * place before is unmapped, its span ids start over, and its TSC goes back.
 */
#include "tests/support/memfile.h"
#include "tests/support/random64.h"

#include <guesttrace/batch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <cmocka.h>

#define CYCLES    100u
#define RAM_BYTES ((size_t)1 << 18)
#define TABLES    0x1000u
#define BATCH     0x10000u
#define OPEN_MAX  16u
#define SPANS_MAX 65536u

/* ---- The world ----------------------------------------------------------- */

static uint64_t now_ns; /* and host TSC: one tick is a nanosecond */
static uint64_t offset; /* of the guest's TSC from it */

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	now_ns += 40;
	*ret_reading = (struct gt_clock_reading){
		.tsc = now_ns,
		.monotonic_ns = now_ns,
		.realtime_ns = now_ns,
	};
}

static void pass(uint64_t most_ns)
{
	now_ns += 1 + random64() % most_ns;
}

/* ---- What is true, by number of span ------------------------------------- */

struct truth {
	uint64_t start_ns, end_ns;
	uint32_t parent; /* 0: none */
	bool died;       /* open when its life ended */
};

static struct truth truths[SPANS_MAX];
static uint32_t truth_count;

/* ---- The guest ----------------------------------------------------------- */

struct guest {
	uint64_t next_id;
	uint64_t ids[OPEN_MAX];
	uint32_t numbers[OPEN_MAX]; /* of truths */
	uint32_t depth;
};

static struct guest guest;
static enum gt_wire wire;
static struct gt_batch batch;
static uint64_t start_tsc;
static uint8_t *ram;
static struct gt_host *host;
static bool knows_offset, by_call;

static struct gt_exit exit_of(enum gt_exit_reason reason, size_t bytes)
{
	return (struct gt_exit){
		.size = sizeof(struct gt_exit),
		.reason = reason,
		.port = 109,
		.width_bytes = 4,
		.out = true,
		.count = 1,
		.r8 = bytes ? GT_BATCH_MAGIC : 0,
		.r9 = BATCH,
		.r10 = bytes,
		.cr0 = 0x80000001,
		.cr3 = TABLES,
		.cr4 = 0x20,
		.efer = 0x500,
		.tsc_offset =
			knows_offset ? (int64_t)offset : GT_TSC_OFFSET_UNKNOWN,
	};
}

static void begin_batch(void)
{
	gt_batch_init(&batch, wire, ram + BATCH, 1024, 30);
}

static void send(void)
{
	size_t bytes = gt_batch_finish(&batch, start_tsc);
	struct gt_exit exit = exit_of(GT_EXIT_IO, bytes);

	pass(200);
	if (by_call) {
		assert_int_equal(gt_host_batch(host, 0, ram + BATCH, bytes,
		                               now_ns + offset,
		                               exit.tsc_offset),
		                 0);
		pass(5000);
	} else {
		assert_int_equal(gt_host_exit(host, 0, &exit), 0);
		pass(5000); /* the VMM is away */
		gt_host_enter(host, 0, 0);
	}
	begin_batch();
}

static bool put(enum gt_batch_event kind,
                const struct gt_batch_numbers *numbers, const char *name)
{
	struct gt_draft draft;

	gt_batch_begin(&draft, &batch, kind, 0);
	if (name)
		gt_draft_name(&draft, name, strlen(name));
	if (kind == GT_BATCH_OPEN)
		gt_draft_target(&draft, "t", 1);
	return gt_draft_end(&draft, numbers);
}

/*
 * As Hyperlight's does: on 0.12 what finds no room keeps the time that it had.
 * Returns that time, on the host's clock.
 */
static uint64_t record(enum gt_batch_event kind,
                       struct gt_batch_numbers numbers, const char *name)
{
	uint64_t ns;

	pass(300);
	ns = now_ns;
	numbers.tsc = ns + offset;
	if (!put(kind, &numbers, name)) {
		send();
		assert_true(put(kind, &numbers, name));
	}
	if (wire == GT_WIRE_HYPERLIGHT_0_11 && batch.bytes > 700)
		send();
	return ns;
}

static void open_span(void)
{
	struct truth *truth = &truths[++truth_count];
	struct gt_batch_numbers numbers = {.id = guest.next_id++};
	char name[16];

	assert_true(truth_count < SPANS_MAX - 1 && guest.depth < OPEN_MAX);
	snprintf(name, sizeof(name), "%u", truth_count);
	if (guest.depth) {
		numbers.has_parent = true;
		numbers.parent = guest.ids[guest.depth - 1];
		truth->parent = guest.numbers[guest.depth - 1];
	}
	guest.ids[guest.depth] = numbers.id;
	guest.numbers[guest.depth++] = truth_count;
	truth->died = true;
	truth->start_ns = record(GT_BATCH_OPEN, numbers, name);
}

static void close_span(void)
{
	struct truth *truth = &truths[guest.numbers[--guest.depth]];

	truth->end_ns = record(
		GT_BATCH_CLOSE,
		(struct gt_batch_numbers){.id = guest.ids[guest.depth]}, NULL);
	truth->died = false;
}

static void leave(enum gt_exit_reason reason)
{
	struct gt_exit exit = exit_of(reason, 0);

	pass(100);
	assert_int_equal(gt_host_exit(host, 0, &exit), 0);
	pass(1000);
}

/* `dies`: in the middle, with what it has not handed over. */
static void call(bool dies)
{
	unsigned turns = 20 + (unsigned)(random64() % 60);

	gt_host_enter(host, 0, 0);
	pass(100);
	begin_batch();
	start_tsc = now_ns + offset;
	if (wire == GT_WIRE_HYPERLIGHT_0_12)
		record(GT_BATCH_START, (struct gt_batch_numbers){0}, NULL);
	open_span();
	for (unsigned i = 0; i < turns; i++)
		if (guest.depth == 1 ||
		    (guest.depth < OPEN_MAX - 1 && random64() % 2))
			open_span();
		else
			close_span();
	while (!dies && guest.depth > 0)
		close_span();
	send();
	if (dies)
		put(GT_BATCH_LOG, &(struct gt_batch_numbers){.id = 1}, "gone");
	leave(dies ? GT_EXIT_EXCEPTION : GT_EXIT_HALT);
}

/* ---- Snapshots ----------------------------------------------------------- */

struct snapshot {
	uint8_t ram[RAM_BYTES];
	struct guest guest;
	uint64_t tsc;
};

static struct snapshot snapshot;

static uint8_t *map_ram(void)
{
	uint8_t *at = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static void set_entry(uint32_t gpa, uint64_t entry)
{
	memcpy(ram + gpa, &entry, sizeof(entry));
}

static void boot(void)
{
	ram = map_ram();
	set_entry(TABLES, 0x2003);
	set_entry(0x2000, 0x3003);
	set_entry(0x3000, 0x83);
	guest = (struct guest){.next_id = 1};
}

static void save(void)
{
	memcpy(snapshot.ram, ram, RAM_BYTES);
	snapshot.guest = guest;
	snapshot.tsc = now_ns + offset;
}

/* Nothing may look at the guest while it has no memory: that would crash. */
static void restore(void)
{
	struct gt_memory_slot slot = {.bytes = RAM_BYTES};
	struct gt_exit state;

	assert_int_equal(gt_host_drain(host), 0);
	assert_int_equal(gt_host_set_memory(host, NULL, 0), 0);
	munmap(ram, RAM_BYTES);
	assert_int_equal(gt_host_drain(host), 0);
	assert_int_equal(gt_host_sample(host), 0);
	assert_int_equal(gt_host_set_filter(host, "trace"), 0);
	ram = map_ram();
	memcpy(ram, snapshot.ram, RAM_BYTES);
	slot.host = ram;
	guest = snapshot.guest;
	pass(100000);
	offset = snapshot.tsc - now_ns;
	state = exit_of(GT_EXIT_OTHER, 0);
	assert_int_equal(gt_host_set_memory(host, &slot, 1), 0);
	assert_int_equal(gt_host_drain(host), 0);
	assert_int_equal(gt_host_resumed(host, 0, &state, 0), 0);
}

/* ---- What is shown ------------------------------------------------------- */

struct shown {
	uint64_t id, parent_id, start_ns, end_ns;
	uint32_t number;
	unsigned flags;
};

static struct shown spans[SPANS_MAX];
static uint32_t by_number[SPANS_MAX]; /* index in spans, from 1 */
static uint32_t span_count;
static struct gt_summary summary;

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *view)
{
	struct shown *span = &spans[span_count++];

	(void)sink;
	(void)trace;
	*span = (struct shown){.id = view->id,
	                       .parent_id = view->parent_id,
	                       .start_ns = view->start_ns,
	                       .end_ns = view->end_ns,
	                       .flags = view->flags};
	for (size_t i = 0; i < view->site->name.count; i++)
		span->number = 10 * span->number +
		               (unsigned)(view->site->name.bytes[i] - '0');
	assert_true(span->number > 0 && span->number <= truth_count);
	assert_int_equal(by_number[span->number], 0);
	by_number[span->number] = span_count;
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

static int compare_ids(const void *a, const void *b)
{
	const struct shown *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void check_span(const struct shown *span)
{
	const struct truth *truth = &truths[span->number];
	uint64_t bound = summary.clock.error_bound_ns;

	assert_true(apart(span->start_ns, truth->start_ns) <= bound);
	assert_int_equal(!!(span->flags & GT_SPAN_INTERRUPTED), truth->died);
	assert_int_equal(span->flags & GT_SPAN_ADJUSTED, 0);
	if (!truth->died)
		assert_true(apart(span->end_ns, truth->end_ns) <= bound);
	if (truth->parent)
		assert_int_equal(span->parent_id,
		                 spans[by_number[truth->parent] - 1].id);
}

static void check(void)
{
	assert_int_equal(span_count, truth_count);
	assert_int_equal(summary.losses.adjusted_records, 0);
	assert_int_equal(summary.losses.late_records, 0);
	assert_int_equal(summary.losses.unknown_spans, 0);
	assert_int_equal(summary.losses.replaced_spans, 0);
	assert_int_equal(summary.losses.bad_records, 0);
	assert_int_equal(summary.losses.bad_requests, 0);
	for (uint32_t i = 0; i < span_count; i++)
		check_span(&spans[i]);
	qsort(spans, span_count, sizeof(spans[0]), compare_ids);
	for (uint32_t i = 1; i < span_count; i++)
		assert_true(spans[i].id != spans[i - 1].id);
}

/* ---- Tests --------------------------------------------------------------- */

static void start(struct gt_sink *const *sinks, size_t count,
                  struct memfile *capture)
{
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory = {{.bytes = RAM_BYTES}},
		.memory_slots = 1,
		.sinks = sinks,
		.sink_count = count,
		.capture = {memfile_write, capture},
		.wire = wire,
		.read_clock = read_clock,
	};

	random64_state = 1;
	now_ns = 1000000;
	offset = 0x123456789;
	truth_count = span_count = 0;
	memset(truths, 0, sizeof(truths));
	memset(by_number, 0, sizeof(by_number));
	boot();
	options.memory[0].host = ram;
	assert_int_equal(gt_host_new(&options, &host), 0);
}

static void run(enum gt_wire of, bool knows, bool by)
{
	struct textsink live = textsink_new(), replayed = textsink_new();
	struct gt_sink own = {.close = on_close, .end = on_end};
	struct gt_sink *const sinks[] = {&own, &live.sink};
	struct memfile capture = {0};

	wire = of;
	knows_offset = knows;
	by_call = by;
	start(sinks, 2, &capture);
	call(false);
	save();
	for (unsigned i = 0; i < CYCLES; i++) {
		for (unsigned calls = 0; calls < 3; calls++)
			call(calls == 2 && i % 2);
		if (i % 10 == 4)
			save();
		restore();
	}
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 0, NULL), 0);
	gt_host_free(host);
	munmap(ram, RAM_BYTES);
	check();
	assert_int_equal(memfile_replay(&capture, capture.count, &replayed), 0);
	assert_string_equal(live.text, replayed.text);
	textsink_free(&live);
	textsink_free(&replayed);
	free(capture.bytes);
}

static void lives_by_exits(void **state)
{
	(void)state;
	run(GT_WIRE_HYPERLIGHT_0_12, true, false);
	assert_true(summary.clock.error_bound_ns < 100);
	run(GT_WIRE_HYPERLIGHT_0_11, true, false);
	assert_true(summary.clock.error_bound_ns < 100);
}

/* 5 us between two looks, and what it takes to leave. */
static void lives_whose_offset_nobody_knows(void **state)
{
	(void)state;
	run(GT_WIRE_HYPERLIGHT_0_12, false, false);
	assert_true(summary.clock.error_bound_ns < 1000);
	assert_true(summary.clock.flags & GT_CLOCK_ESTIMATED);
}

static void lives_that_call_their_host(void **state)
{
	(void)state;
	run(GT_WIRE_HYPERLIGHT_0_12, false, true);
	assert_true(summary.clock.error_bound_ns < 10000);
}

/* A real guest of 0.12 reads the time first, and then finds the batch full. */
static void what_is_carried_over_keeps_its_time(void **state)
{
	struct gt_sink own = {.close = on_close, .end = on_end};
	struct gt_sink *const sinks[] = {&own};
	struct memfile capture = {0};
	struct gt_batch_numbers numbers = {.id = 1};
	uint64_t closed_ns;

	(void)state;
	wire = GT_WIRE_HYPERLIGHT_0_12;
	knows_offset = true;
	by_call = false;
	start(sinks, 1, &capture);
	gt_host_enter(host, 0, 0);
	begin_batch();
	open_span();
	pass(300);
	closed_ns = now_ns;
	send();
	pass(1000000); /* it runs on, and is about to close another one */
	numbers.tsc = closed_ns + offset;
	assert_true(put(GT_BATCH_CLOSE, &numbers, NULL));
	truths[1].end_ns = closed_ns;
	truths[1].died = false;
	send();
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 0, NULL), 0);
	gt_host_free(host);
	munmap(ram, RAM_BYTES);
	free(capture.bytes);
	check();
	assert_true(summary.clock.error_bound_ns < 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_by_exits),
		cmocka_unit_test(lives_whose_offset_nobody_knows),
		cmocka_unit_test(lives_that_call_their_host),
		cmocka_unit_test(what_is_carried_over_keeps_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
