/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails to keep what was written (threat F7). Asked a second time
 * it says that all is well, and has thrown the pages away: so it is not asked
 * again about that file, and nothing more is written to it.
 */
#include "export/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static _Atomic unsigned fails;  /* the next so many */
static _Atomic unsigned calls;  /* about files */
static _Atomic ino_t asked[64]; /* about which file, by call */

static void nap(void)
{
	const struct timespec soon = {.tv_nsec = 1000000};

	nanosleep(&soon, NULL);
}

int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat info;

	fstat(fd, &info);
	if (!S_ISREG(info.st_mode))
		return 0;
	asked[atomic_load(&calls) % 64] = info.st_ino;
	atomic_fetch_add(&calls, 1);
	if (atomic_load(&fails) == 0)
		return 0;
	atomic_fetch_sub(&fails, 1);
	errno = EIO;
	return -1;
}

static char path[] = "/tmp/guesttrace-spool-XXXXXX";
static struct gt__spool *spool;

static int setup(void **unused)
{
	(void)unused;
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	calls = fails = 0;
	if (!mkdtemp(path))
		return -1;
	return gt__spool_open(path, NULL, 1 << 20, false, &spool);
}

static int teardown(void **unused)
{
	char command[64];

	(void)unused;
	gt__spool_close(spool, true);
	snprintf(command, sizeof(command), "rm -r %s", path);
	return system(command);
}

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

/* Has the disk asked, and waits until it is. */
static void ask(void)
{
	unsigned before = atomic_load(&calls);
	int rc;

	while ((rc = gt__spool_sync(spool)) == 1)
		nap();
	assert_int_equal(rc, 0);
	while (atomic_load(&calls) == before)
		nap();
}

/* It may be asked again before it has answered. */
static void fail_to_keep(char letter)
{
	int rc;

	append(letter);
	fails = 1;
	while ((rc = gt__spool_sync(spool)) >= 0)
		nap();
	assert_int_equal(rc, -EIO);
	assert_int_equal(fails, 0);
}

static unsigned segments(ino_t *ret_inodes, unsigned most)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		if (strstr(entry->d_name, ".gtspool") && count < most)
			ret_inodes[count++] = entry->d_ino;
	closedir(directory);
	return count;
}

static void what_the_disk_failed_to_keep_is_told_and_read(void **unused)
{
	struct gt__otlp_request *request;
	char letters[8] = "";
	unsigned count = 0;

	(void)unused;
	fail_to_keep('a');
	append('b');
	ask(); /* it is told once */
	assert_int_equal(gt__spool_counts(spool).own_waiting, 2);
	while ((request = gt__spool_next(spool, GT__SPOOL_OLD))) {
		assert_true(count < 7);
		letters[count++] = (char)request->bytes[99];
		gt__spool_settle(spool, request);
		free(request);
	}
	assert_string_equal(letters, "ab");
	assert_int_equal(gt__spool_counts(spool).own_waiting, 0);
	assert_int_equal(gt__spool_counts(spool).own_damaged, 0);
}

static void nobody_asks_again_about_such_a_file(void **unused)
{
	ino_t first, both[8];
	unsigned after;

	(void)unused;
	fail_to_keep('a');
	assert_int_equal(segments(both, 8), 1);
	first = both[0];
	assert_true(asked[0] == first);
	append('b');
	ask(); /* and what was asked before is done */
	after = atomic_load(&calls);
	for (unsigned i = 0; i < 5; i++) {
		append('b');
		ask();
	}
	assert_int_equal(segments(both, 8), 2);
	for (unsigned i = after; i < atomic_load(&calls); i++)
		assert_true(asked[i] != first);
	assert_true(atomic_load(&calls) >= after + 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_the_disk_failed_to_keep_is_told_and_read),
		T(nobody_asks_again_about_such_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
