/* SPDX-License-Identifier: MIT */
/*
 * A disk on which what was sent cannot be marked as sent (threat F7): it is sent
 * once by this process all the same, and what waits beside it is not lost. A
 * directory that cannot be read is no empty one.
 */
#include "export/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static bool marks_fail, listing_fails;

ssize_t __real_pwrite64(int fd, const void *bytes, size_t count, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t count, off_t at);
int __real_openat64(int directory, const char *name, int flags, ...);
int __wrap_openat64(int directory, const char *name, int flags, ...);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
	if (!marks_fail || count != 1)
		return __real_pwrite64(fd, bytes, count, at);
	errno = EIO;
	return -1;
}

int __wrap_openat64(int directory, const char *name, int flags, ...)
{
	if (!listing_fails || strcmp(name, ".") != 0)
		return __real_openat64(directory, name, flags, 0600);
	errno = EMFILE;
	return -1;
}

static char path[] = "/tmp/guesttrace-marks-XXXXXX";
static struct gt__spool *spool;

static void append(char letter)
{
	struct gt__otlp_request *request = calloc(1, sizeof(*request) + 100);

	assert_non_null(request);
	request->spans = 1;
	request->count = 100;
	memset(request->bytes, letter, 100);
	assert_int_equal(gt__spool_append(spool, request), 0);
	free(request);
}

/* What another process has left there: a, b, c. */
static int setup(void **unused)
{
	(void)unused;
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	if (!mkdtemp(path) ||
	    gt__spool_open(path, NULL, 1 << 20, false, &spool) < 0)
		return -1;
	for (char letter = 'a'; letter <= 'c'; letter++)
		append(letter);
	gt__spool_close(spool, true);
	return gt__spool_open(path, NULL, 1 << 20, true, &spool);
}

static int teardown(void **unused)
{
	char command[64];

	(void)unused;
	marks_fail = listing_fails = false;
	gt__spool_close(spool, true);
	snprintf(command, sizeof(command), "rm -r %s", path);
	return system(command);
}

static struct gt__otlp_request *next(void)
{
	return gt__spool_next(spool, GT__SPOOL_OLD);
}

static void expect(struct gt__otlp_request *request, char letter)
{
	assert_non_null(request);
	assert_int_equal(request->bytes[99], letter);
}

static void settle(struct gt__otlp_request *request)
{
	gt__spool_settle(spool, request);
	free(request);
}

static void what_is_sent_and_not_marked_is_not_sent_again(void **unused)
{
	struct gt__otlp_request *a = next(), *b = next(), *c = next();

	(void)unused;
	expect(c, 'c');
	marks_fail = true;
	settle(a);
	gt__spool_give_back(spool, b);
	b = next();
	expect(b, 'b');
	assert_null(next());
	settle(c);
	assert_int_equal(gt__spool_counts(spool).found_waiting, 1);
	settle(b);
	assert_null(next());
	assert_int_equal(gt__spool_counts(spool).found_waiting, 0);
}

/* A second copy of the first would have taken its file away under it. */
static void what_waits_beside_it_is_kept(void **unused)
{
	struct gt__otlp_request *a = next(), *b = next();

	(void)unused;
	marks_fail = true;
	settle(a);
	gt__spool_give_back(spool, b);
	settle(next());
	expect(b = next(), 'c');
	gt__spool_give_back(spool, b);
	marks_fail = false;
	gt__spool_close(spool, true);
	assert_int_equal(gt__spool_open(path, NULL, 1 << 20, true, &spool), 0);
	assert_int_equal(gt__spool_counts(spool).found_waiting, 3);
}

static void damage_that_is_not_marked_is_counted_once(void **unused)
{
	struct gt__otlp_request *b, *c;
	char command[128];

	(void)unused;
	gt__spool_close(spool, false);
	snprintf(command, sizeof(command), "sed -i s/aaaaa/aabaa/ %s/*.gtspool",
	         path);
	assert_int_equal(system(command), 0);
	assert_int_equal(gt__spool_open(path, NULL, 1 << 20, true, &spool), 0);
	marks_fail = true;
	b = next();
	expect(b, 'b');
	gt__spool_give_back(spool, b);
	expect(b = next(), 'b');
	expect(c = next(), 'c');
	assert_null(next());
	assert_int_equal(gt__spool_counts(spool).damaged_spans, 1);
	settle(b);
	assert_int_equal(gt__spool_counts(spool).found_waiting, 1);
	settle(c);
	assert_int_equal(gt__spool_counts(spool).found_waiting, 0);
}

static void a_directory_that_cannot_be_read_is_no_empty_one(void **unused)
{
	struct gt__spool *another;

	(void)unused;
	gt__spool_close(spool, false);
	spool = NULL;
	listing_fails = true;
	assert_int_equal(gt__spool_open(path, NULL, 1 << 20, true, &another),
	                 -EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_sent_and_not_marked_is_not_sent_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_waits_beside_it_is_kept,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			damage_that_is_not_marked_is_counted_once, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_that_cannot_be_read_is_no_empty_one, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
