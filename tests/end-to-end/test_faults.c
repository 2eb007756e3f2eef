/* SPDX-License-Identifier: MIT */
/*
 * Each allocation fails once, each output refuses once, each call about a file
 * fails once, is cut short once, or is the last that the process makes. Nothing
 * crashes or leaks; what is said to have worked has worked, to the byte, or
 * says what is missing; and what the spool has acknowledged is in it. The
 * number of points is printed.
 */
#include "export/spool/spool.h"
#include "tests/support/faults.h"
#include "tests/support/golden_run.h"
#include "tests/support/inproc.h"
#include "tests/support/telling_sink.h"

#include <guesttrace/export_otlp.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static unsigned long points;

/* ---- What is written ----------------------------------------------------- */

/* Its memory is its own: no allocation of it is one of the points. */
struct bytes {
	uint8_t bytes[1 << 20];
	size_t count;
	unsigned long writes, refused; /* the number of the one that is */
};

static struct bytes capture, output, wanted_capture, wanted_output;

static int put(void *context, const void *bytes, size_t count)
{
	struct bytes *to = context;

	if (to->writes++ == to->refused)
		return -EPIPE;
	if (count > sizeof(to->bytes) - to->count)
		return -ENOSPC;
	memcpy(to->bytes + to->count, bytes, count);
	to->count += count;
	return 0;
}

static struct gt_output into(struct bytes *bytes)
{
	bytes->count = 0;
	bytes->writes = 0;
	return (struct gt_output){put, bytes};
}

static bool is_same(const struct bytes *a, const struct bytes *b)
{
	return a->count == b->count &&
	       memcmp(a->bytes, b->bytes, a->count) == 0;
}

static int follow(const struct gt_output *to, struct gt_sink **ret_sink)
{
	return gt_follow_with(to, NULL, ret_sink);
}

static int metrics(const struct gt_output *to, struct gt_sink **ret_sink)
{
	return gt_otlp_metrics_protobuf_with(to, NULL, ret_sink);
}

static int logs(const struct gt_output *to, struct gt_sink **ret_sink)
{
	return gt_otlp_logs_json_with(to, NULL, ret_sink);
}

static int (*const formats[])(const struct gt_output *, struct gt_sink **) = {
	gt_tree_new,   gt_perfetto_new,      gt_chrome_new, gt_otlp_json_new,
	gt_folded_new, gt_otlp_protobuf_new, gt_csv_new,    gt_report_new,
	follow,        gt_report_json_new,   metrics,       logs,
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* ---- Runs ---------------------------------------------------------------- */

static long read_wanted(void *context, void *bytes, size_t count)
{
	size_t *at = context, left = wanted_capture.count - *at;

	if (count > left)
		count = left;
	memcpy(bytes, wanted_capture.bytes + *at, count);
	*at += count;
	return (long)count;
}

static int replay(struct gt_sink *sink)
{
	size_t at = 0;
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_wanted,
		.context = &at,
		.sinks = &sink,
		.sink_count = 1,
	};

	return gt_replay(&options);
}

/* Batches of real guests, in memory that is no allocation's. */
static struct {
	uint8_t bytes[1 << 16];
	size_t count;
} batches[2];

static int hand_over(unsigned wire, struct gt_sink *sink)
{
	struct gt_host_options options = inproc_options();
	struct gt_sink *const sinks[] = {sink};
	struct gt_host *host;
	int r, first_error = 0;

	options.wire = (enum gt_wire)wire;
	options.sinks = sinks;
	options.sink_count = 1;
	options.capture = into(&capture);
	inproc_now = 1000000;
	r = gt_host_new(&options, &host);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 2; i++) {
		gt_host_enter(host, 0, 0);
		r = gt_host_batch(host, 0, batches[wire - 1].bytes,
		                  batches[wire - 1].count, inproc_now, 0);
		if (r < 0)
			first_error = r;
	}
	r = gt_host_finish(host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(host);
	return first_error ? first_error : r;
}

enum source {
	SOURCE_LIVE = GT_WIRE_NATIVE, /* and the others, by their wire */
	SOURCE_CAPTURE = 3,
};

static int run_source(enum source source, struct gt_sink *sink)
{
	if (source == SOURCE_CAPTURE)
		return replay(sink);
	return source == SOURCE_LIVE ? golden_run(into(&capture), sink)
	                             : hand_over(source, sink);
}

/* Of such a source, in a format. */
static int run(size_t format, enum source source)
{
	const struct gt_output to = into(&output);
	struct telling telling = telling_sink();
	int r = formats[format](&to, &telling.to), finished = 0;

	if (r < 0)
		return r;
	told = (struct gt_losses){0};
	r = run_source(source, &telling.sink);
	if (r >= 0)
		finished = telling.to->finish(telling.to);
	telling.to->free(telling.to);
	return r < 0 ? r : finished;
}

static void expect_right(int r, enum source source)
{
	if (r < 0 || more_is_told())
		return;
	assert_true(is_same(&output, &wanted_output));
	if (source != SOURCE_CAPTURE)
		assert_true(is_same(&capture, &wanted_capture));
}

static void want(size_t format, enum source source)
{
	capture.refused = output.refused = ULONG_MAX;
	faults_begin(FAULT_ALLOCATION, FAULT_NONE, 0);
	assert_int_equal(run(format, source), 0);
	wanted_output = output;
	if (source != SOURCE_CAPTURE)
		wanted_capture = capture;
	wanted_told = told;
}

static void fail_allocations(enum source source)
{
	for (size_t format = 0; format < FORMATS; format++) {
		unsigned long count;

		want(format, source);
		count = faults_end(FAULT_ALLOCATION);
		assert_true(count > 20);
		for (unsigned long i = 0; i < count; i++) {
			int r;

			faults_begin(FAULT_ALLOCATION, FAULT_FAILS, i);
			r = run(format, source);
			faults_end(FAULT_ALLOCATION);
			expect_right(r, source);
		}
		points += count;
	}
}

static void each_allocation_of_a_live_run_may_fail(void **unused)
{
	(void)unused;
	fail_allocations(SOURCE_LIVE);
}

static void each_allocation_of_a_replay_may_fail(void **unused)
{
	(void)unused;
	want(0, SOURCE_LIVE);
	fail_allocations(SOURCE_CAPTURE);
}

static void each_allocation_for_a_batch_may_fail(void **unused)
{
	(void)unused;
	fail_allocations((enum source)GT_WIRE_HYPERLIGHT_0_11);
	fail_allocations((enum source)GT_WIRE_HYPERLIGHT_0_12);
}

/* What has not been written whole is not said to be. */
static void each_write_to_an_output_may_fail(void **unused)
{
	(void)unused;
	for (size_t format = 0; format < FORMATS; format++) {
		unsigned long count;

		want(format, SOURCE_LIVE);
		count = output.writes;
		for (unsigned long i = 0; i < count; i++, points++) {
			output.refused = i;
			assert_true(run(format, SOURCE_LIVE) < 0);
		}
		output.refused = ULONG_MAX;
		count = wanted_capture.writes;
		for (unsigned long i = 0; i < count; i++) {
			capture.refused = i;
			assert_true(run(format, SOURCE_LIVE) < 0);
		}
		points += count;
		capture.refused = ULONG_MAX;
	}
}

/* ---- The spool ----------------------------------------------------------- */

#define REQUESTS 12u

/* Survives the process that is killed. */
static struct {
	bool acknowledged[REQUESTS], settled[REQUESTS];
} * shared;

static char path[] = "/dev/shm/guesttrace-faults-XXXXXX";

static bool make_request(unsigned number, struct gt__otlp_request **ret_request)
{
	*ret_request = malloc(sizeof(**ret_request) + 64);
	if (!*ret_request)
		return false;
	**ret_request = (struct gt__otlp_request){.spans = 1, .count = 64};
	memset((*ret_request)->bytes, (int)('a' + number), 64);
	return true;
}

static unsigned number_of(const struct gt__otlp_request *request)
{
	unsigned number = (unsigned)(request->bytes[0] - 'a');

	assert_true(number < REQUESTS && request->count == 64);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(request->bytes[i], 'a' + number);
	return number;
}

/* Appends requests, and settles each third one. */
static void use_spool(void)
{
	struct gt__otlp_request *request;
	struct gt__spool *spool;

	if (gt__spool_open(path, NULL, 1 << 20, false, &spool) < 0)
		return;
	for (unsigned i = 0; i < REQUESTS; i++) {
		if (!make_request(i, &request))
			continue;
		shared->acknowledged[i] = gt__spool_append(spool, request) == 0;
		free(request);
		gt__spool_sync(spool);
		if (i % 3 != 2 ||
		    !(request = gt__spool_next(spool, GT__SPOOL_NEW)))
			continue;
		/* From here on it may be gone. */
		shared->settled[number_of(request)] = true;
		if (i == 5)
			gt__spool_keep_refused(spool, request);
		gt__spool_settle(spool, request);
		free(request);
	}
	gt__spool_close(spool, false);
}

/* All that was acknowledged and not settled, each once; then nothing is left.
 */
static void expect_all(void)
{
	struct gt__otlp_request *request;
	struct gt__spool *spool;
	bool found[REQUESTS] = {false};

	assert_int_equal(gt__spool_open(path, NULL, 1 << 20, true, &spool), 0);
	while ((request = gt__spool_next(spool, GT__SPOOL_OLD))) {
		unsigned number = number_of(request);

		assert_false(found[number]);
		found[number] = true;
		gt__spool_settle(spool, request);
		free(request);
	}
	gt__spool_close(spool, true);
	for (unsigned i = 0; i < REQUESTS; i++)
		assert_true(found[i] || shared->settled[i] ||
		            !shared->acknowledged[i]);
}

static void clear(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s/*", path);
	assert_int_equal(system(command), 0);
	memset(shared, 0, sizeof(*shared));
}

static void run_spool(enum fault_call call, enum fault_kind kind,
                      unsigned long number)
{
	pid_t child;
	int status;

	clear();
	if (kind != FAULT_KILLS) {
		faults_begin(call, kind, number);
		use_spool();
		faults_end(call);
		expect_all();
		return;
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		faults_begin(call, kind, number);
		use_spool();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect_all();
}

static void try_spool(enum fault_call call, enum fault_kind kind)
{
	unsigned long count;

	clear();
	faults_begin(call, FAULT_NONE, 0);
	use_spool();
	count = faults_end(call);
	/* Nothing is removed here, and cut off only behind another fault. */
	assert_true(count > 0 || call == FAULT_UNLINK ||
	            call == FAULT_TRUNCATE);
	for (unsigned i = 0; i < REQUESTS; i++)
		assert_true(shared->acknowledged[i]);
	expect_all();
	for (unsigned long i = 0; i < count; i++)
		run_spool(call, kind, i);
	points += count;
}

static void each_call_of_the_spool_may_fail(void **unused)
{
	(void)unused;
	for (unsigned call = 0; call < FAULT_CALLS; call++)
		try_spool((enum fault_call)call, FAULT_FAILS);
}

static void each_read_and_write_of_the_spool_may_be_cut(void **unused)
{
	(void)unused;
	try_spool(FAULT_READ, FAULT_IS_CUT);
	try_spool(FAULT_WRITE, FAULT_IS_CUT);
}

static void each_call_of_the_spool_may_be_the_last(void **unused)
{
	(void)unused;
	for (unsigned call = 0; call < FAULT_CALLS; call++)
		try_spool((enum fault_call)call, FAULT_KILLS);
}

static void read_batch(const char *directory, unsigned number)
{
	char name[512];
	FILE *file;

	snprintf(name, sizeof(name), "%s/hyperlight-0.1%u/mix30.bin", directory,
	         1 + number);
	file = fopen(name, "rb");
	if (!file)
		exit(2);
	batches[number].count = fread(batches[number].bytes, 1,
	                              sizeof(batches[number].bytes), file);
	fclose(file);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_of_a_live_run_may_fail),
		cmocka_unit_test(each_allocation_of_a_replay_may_fail),
		cmocka_unit_test(each_allocation_for_a_batch_may_fail),
		cmocka_unit_test(each_write_to_an_output_may_fail),
		cmocka_unit_test(each_call_of_the_spool_may_fail),
		cmocka_unit_test(each_read_and_write_of_the_spool_may_be_cut),
		cmocka_unit_test(each_call_of_the_spool_may_be_the_last),
	};
	int failed;

	if (argc < 2)
		return 2;
	read_batch(argv[1], 0);
	read_batch(argv[1], 1);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || !mkdtemp(path))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("# %lu points\n", points);
	clear();
	rmdir(path);
	return failed;
}
