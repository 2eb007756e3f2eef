/* SPDX-License-Identifier: MIT */
/*
 * What the readers of CTF (tests/end-to-end/readers/compare-ctf.py) do not see: its
 * limits, and a directory on a disk that fills.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/synthetic.h"

#define CLASSES_MAX 4096 /* GT__CTF_CLASSES_MAX of export/ctf/ctf.h */

/* ---- A directory in memory ----------------------------------------------- */

struct file {
	struct folder *folder;
	char name[80];
	char *bytes;
	size_t count;
};

struct folder {
	struct file files[300];
	size_t count;
	size_t files_left, bytes_left; /* until the disk is full */
	size_t bytes;
	bool full;
	unsigned calls_when_full;
};

static int write_file(void *context, const void *bytes, size_t count)
{
	struct file *f = context;
	struct folder *d = f->folder;

	d->calls_when_full += d->full;
	if (count > d->bytes_left) {
		d->full = true;
		return -ENOSPC;
	}
	f->bytes = realloc(f->bytes, f->count + count + 1);
	assert_non_null(f->bytes);
	memcpy(f->bytes + f->count, bytes, count);
	f->count += count;
	f->bytes[f->count] = '\0';
	d->bytes += count;
	d->bytes_left -= count;
	return 0;
}

static int create_file(void *context, const char *name,
                       struct gt_output *ret_output)
{
	struct folder *d = context;
	struct file *f = &d->files[d->count];

	d->calls_when_full += d->full;
	assert_true(d->count < sizeof d->files / sizeof *d->files);
	if (!d->files_left) {
		d->full = true;
		return -EMFILE;
	}
	d->files_left--;
	d->count++;
	f->folder = d;
	snprintf(f->name, sizeof f->name, "%s", name);
	*ret_output = (struct gt_output){write_file, f};
	return 0;
}

static const struct file *find_file(const struct folder *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->count; i++)
		if (!strcmp(d->files[i].name, name))
			return &d->files[i];
	return NULL;
}

static void free_folder(struct folder *d)
{
	size_t i;

	for (i = 0; i < d->count; i++)
		free(d->files[i].bytes);
	free(d);
}

static struct folder *new_folder(size_t files, size_t bytes)
{
	struct folder *d = calloc(1, sizeof *d);

	assert_non_null(d);
	d->files_left = files;
	d->bytes_left = bytes;
	return d;
}

static void begin_in(struct syn *s, struct folder *d, bool many)
{
	const struct gt_directory directory = {create_file, d};

	*s = (struct syn){.sink_count = 1};
	assert_int_equal(gt_ctf_new(&directory, many, &s->sinks[0]), 0);
}

/* ---- A disk that fills --------------------------------------------------- */

static struct folder *write_with_room_for(size_t files, size_t bytes,
                                          int *ret_error)
{
	struct folder *d = new_folder(files, bytes);
	struct syn s;

	begin_in(&s, d, true);
	syn_random(&s, 0, 7, 3000);
	syn_everything(&s, 1);
	*ret_error = syn_finish(&s);
	if (*ret_error)
		assert_int_equal(s.sinks[0]->finish(s.sinks[0]), *ret_error);
	syn_free(&s);
	return d;
}

static void expect_beginning_of(const struct folder *all,
                                const struct folder *part)
{
	size_t i;

	for (i = 0; i < part->count; i++) {
		const struct file *f = &part->files[i];
		const struct file *whole = find_file(all, f->name);

		assert_non_null(whole);
		assert_true(f->count <= whole->count);
		if (f->count)
			assert_memory_equal(f->bytes, whole->bytes, f->count);
	}
}

static void a_full_disk_is_reported_by_finish_wherever_it_fills(void **state)
{
	struct folder *all, *part;
	size_t room;
	int error;

	(void)state;
	all = write_with_room_for(SIZE_MAX, SIZE_MAX, &error);
	assert_int_equal(error, 0);
	assert_true(all->count > 4);
	for (room = 0; room < all->bytes; room += 1 + all->bytes / 29) {
		part = write_with_room_for(SIZE_MAX, room, &error);
		assert_int_equal(error, -ENOSPC);
		assert_int_equal(part->calls_when_full, 0);
		expect_beginning_of(all, part);
		free_folder(part);
	}
	for (room = 0; room < all->count; room++) {
		part = write_with_room_for(room, SIZE_MAX, &error);
		assert_int_equal(error, -EMFILE);
		assert_int_equal(part->calls_when_full, 0);
		expect_beginning_of(all, part);
		free_folder(part);
	}
	free_folder(all);
}

static void a_sink_may_be_freed_in_any_state(void **state)
{
	static const struct gt_site_view site = {
		.name = {"x", 1},
		.level = GT_INFO,
	};
	struct folder *d = new_folder(SIZE_MAX, SIZE_MAX);
	struct syn s;

	(void)state;
	begin_in(&s, d, false);
	syn_free(&s);
	begin_in(&s, d, false);
	syn_begin(&s, 0, "g");
	syn_open(&s, &site, NULL, 0, 5, true);
	memset(&s.trace, 0xa5, sizeof s.trace); /* as if freed */
	syn_free(&s);
	free_folder(d);
}

/* ---- Limits -------------------------------------------------------------- */

static size_t count_of(const struct file *f, const char *word)
{
	const char *at = f->bytes;
	size_t n = 0;

	while ((at = strstr(at, word))) {
		at += strlen(word);
		n++;
	}
	return n;
}

#define SITES (CLASSES_MAX + 500)

/* Threat D9. */
/* One event of each site; those beyond the limit have their names in them. */
static void sites_beyond_the_limit_are_named_in_their_records(void **state)
{
	struct gt_site_view *sites = calloc(SITES, sizeof *sites);
	char(*names)[16] = calloc(SITES, sizeof *names);
	struct folder *d = new_folder(SIZE_MAX, SIZE_MAX);
	const struct file *metadata, *records;
	struct syn s;
	size_t i;

	(void)state;
	assert_non_null(sites);
	assert_non_null(names);
	begin_in(&s, d, false);
	syn_begin(&s, 0, "crowd");
	for (i = 0; i < SITES; i++) {
		snprintf(names[i], sizeof names[i], "site%zu.", i);
		sites[i].name = syn_text(names[i]);
		sites[i].level = GT_INFO;
		syn_event(&s, &sites[i], NULL, 0, i + 1, NULL, 0);
	}
	syn_end(&s, SITES + 1);
	assert_int_equal(syn_finish(&s), 0);
	metadata = find_file(d, "metadata");
	records = find_file(d, "vcpu_0");
	assert_non_null(metadata);
	assert_non_null(records);
	assert_int_equal(count_of(metadata, "name = \"site"), CLASSES_MAX);
	for (i = 0; i < SITES; i++) {
		bool in_record = memmem(records->bytes, records->count,
		                        names[i], strlen(names[i])) != NULL;

		assert_int_equal(in_record, i >= CLASSES_MAX);
	}
	syn_free(&s);
	free_folder(d);
	free(names);
	free(sites);
}

/* Threat C19: letters, digits, `_` and one `/`, as export.h says. */
static void no_text_of_a_guest_is_in_the_name_of_a_file(void **state)
{
	struct folder *d = new_folder(SIZE_MAX, SIZE_MAX);
	struct syn s;

	(void)state;
	begin_in(&s, d, true);
	syn_unicode(&s, 0);
	syn_wild(&s, 1, 3, 2000);
	syn_keys(&s, 2);
	assert_int_equal(syn_finish(&s), 0);
	assert_true(d->count >= 6);
	for (size_t i = 0; i < d->count; i++) {
		const char *name = d->files[i].name;
		const char *slash = strchr(name, '/');

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz"
		                              "0123456789_/"),
		                 strlen(name));
		assert_true(slash && slash > name && slash[1]);
		assert_null(strchr(slash + 1, '/'));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(name, d->files[j].name);
	}
	syn_free(&s);
	free_folder(d);
}

static void a_vcpu_that_did_nothing_has_no_file(void **state)
{
	static const struct gt_site_view site = {
		.name = {"x", 1},
		.level = GT_INFO,
	};
	struct folder *d = new_folder(SIZE_MAX, SIZE_MAX);
	struct syn s;

	(void)state;
	begin_in(&s, d, false);
	syn_begin(&s, 0, "g");
	syn_event(&s, &site, NULL, 1, 5, NULL, 0);
	syn_end(&s, 6);
	assert_int_equal(syn_finish(&s), 0);
	assert_non_null(find_file(d, "vcpu_1"));
	assert_non_null(find_file(d, "metadata"));
	assert_int_equal(d->count, 2);
	syn_free(&s);
	free_folder(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_full_disk_is_reported_by_finish_wherever_it_fills),
		cmocka_unit_test(a_sink_may_be_freed_in_any_state),
		cmocka_unit_test(
			sites_beyond_the_limit_are_named_in_their_records),
		cmocka_unit_test(no_text_of_a_guest_is_in_the_name_of_a_file),
		cmocka_unit_test(a_vcpu_that_did_nothing_has_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
