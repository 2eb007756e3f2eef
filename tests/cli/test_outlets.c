/* SPDX-License-Identifier: MIT */
/*
 * Queues of outputs (threats E2, F10): what goes in comes out, in order and all
 * of it; who reads nothing costs the writer no wait while the guest runs, and
 * is given up when the run is to end.
 */
#include "cli/monotonic.h"
#include "cli/outlets.h"
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SHARE       (100u << 10)
#define MUCH        (3u << 20)
#define PATIENCE_NS (30 * 1000000u)
#define HANGS_S     20u

/* The thread is not confined here. */
void sandbox_enter(enum sandbox_role role)
{
	assert_int_equal(role, SANDBOX_OUTPUTS);
}

static int ends[2]; /* of a pipe: to read, to write */
static struct outlet *outlet;
static uint8_t made[MUCH], got[MUCH];

static int setup(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < MUCH; i++)
		made[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
	memset(got, 0, sizeof(got));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	outlets_hurry(0);
	return outlets_start(SHARE, PATIENCE_NS);
}

static int teardown(void **unused)
{
	(void)unused;
	/* First: what a failed test has left is waited for by no reader. */
	if (ends[0] >= 0)
		close(ends[0]);
	outlets_stop();
	close(ends[1]);
	return 0;
}

static void open_pipe(void)
{
	assert_int_equal(outlet_open(ends[1], &outlet), 0);
	assert_non_null(outlet);
}

static size_t take(size_t count)
{
	size_t all = 0;
	ssize_t some = 1;

	while (all < count && some > 0) {
		some = read(ends[0], got + all, count - all);
		all += some > 0 ? (size_t)some : 0;
	}
	return all;
}

/* Until it has no room; how many bytes these are. */
static size_t fill_pipe(void)
{
	size_t all = 0;
	ssize_t some;

	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	while ((some = write(ends[1], made, 4096)) > 0)
		all += (size_t)some;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	return all;
}

static void *take_all(void *count)
{
	*(size_t *)count = take(*(size_t *)count);
	return NULL;
}

static void what_goes_in_comes_out(void **unused)
{
	size_t count = MUCH;
	pthread_t reader;

	(void)unused;
	open_pipe();
	assert_int_equal(pthread_create(&reader, NULL, take_all, &count), 0);
	for (size_t at = 0, some = 1; at < MUCH; at += some) {
		some = at % 70001 + 1 < MUCH - at ? at % 70001 + 1 : MUCH - at;
		assert_int_equal(outlet_write(outlet, made + at, some), 0);
	}
	assert_int_equal(outlet_close(outlet), 0);
	pthread_join(reader, NULL);
	assert_int_equal(count, MUCH);
	assert_memory_equal(got, made, MUCH);
}

/*
 * While the guest runs; and half of the share must be gone before it is none.
 * The pipe is full from the start: what is queued is known, however late the
 * thread comes.
 */
static void one_that_is_not_read_is_full_and_waits_for_nobody(void **unused)
{
	uint64_t end_ns = monotonic_ns() + HANGS_S * NS_PER_S;
	size_t filled = fill_pipe(), count = 0;

	(void)unused;
	open_pipe();
	while (!outlet_is_full(outlet) && count < MUCH) {
		assert_int_equal(outlet_write(outlet, made + count, 1000), 0);
		count += 1000;
	}
	assert_int_equal(count, (SHARE / 1000 + 1) * 1000);
	/* What may not be missing goes in even so. */
	assert_int_equal(outlet_write(outlet, made + count, 50000), 0);
	count += 50000;
	/* Up to as much can be written then: more than half is left. */
	take(60000);
	assert_true(outlet_is_full(outlet));
	take(filled + count - 60000 - SHARE / 4);
	while (outlet_is_full(outlet) && monotonic_ns() < end_ns)
		nap_ns(1000000);
	assert_false(outlet_is_full(outlet));
	take(SHARE / 4);
	assert_int_equal(outlet_close(outlet), 0);
}

static void who_has_gone_is_an_error(void **unused)
{
	(void)unused;
	open_pipe();
	close(ends[0]);
	ends[0] = -1;
	outlet_write(outlet, made, 1000);
	assert_int_equal(outlet_close(outlet), -EPIPE);
}

static void who_reads_nothing_is_given_up_when_it_is_to_end(void **unused)
{
	uint64_t before_ns;

	(void)unused;
	open_pipe();
	/* Nothing is read from here on: patience is counted from now. */
	before_ns = monotonic_ns();
	assert_int_equal(outlet_write(outlet, made, MUCH), 0);
	assert_false(outlets_are_in_a_hurry());
	outlets_hurry(monotonic_ns());
	assert_true(outlets_are_in_a_hurry());
	assert_int_equal(outlet_close(outlet), -ETIMEDOUT);
	assert_true(monotonic_ns() - before_ns >= PATIENCE_NS / 2);
	assert_true(monotonic_ns() - before_ns < HANGS_S * NS_PER_S);
}

/* Of a guest that has ended by itself all is written. */
static void once_the_guest_is_gone_the_writer_waits(void **unused)
{
	size_t count = MUCH;
	pthread_t reader;

	(void)unused;
	open_pipe();
	outlets_guest_is_gone();
	assert_int_equal(pthread_create(&reader, NULL, take_all, &count), 0);
	assert_int_equal(outlet_write(outlet, made, MUCH), 0);
	assert_false(outlet_is_full(outlet));
	assert_int_equal(outlet_close(outlet), 0);
	pthread_join(reader, NULL);
	assert_memory_equal(got, made, MUCH);
}

static void files_need_none_and_what_cannot_be_asked_is_an_error(void **unused)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)unused;
	assert_int_equal(outlet_open(fd, &outlet), 0);
	assert_null(outlet);
	close(fd);
	assert_int_equal(outlet_open(fd, &outlet), -EBADF);
	assert_null(outlet);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_goes_in_comes_out),
		T(one_that_is_not_read_is_full_and_waits_for_nobody),
		T(who_has_gone_is_an_error),
		T(who_reads_nothing_is_given_up_when_it_is_to_end),
		T(once_the_guest_is_gone_the_writer_waits),
		T(files_need_none_and_what_cannot_be_asked_is_an_error),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
