/* SPDX-License-Identifier: MIT */
/*
 * Dumps that anybody may have made: whatever a byte of a core or of a snapshot
 * is changed to, it is refused or harmless, and no piece lies outside of its
 * file (threats E6, F9).
 */
#include "cli/dump.h"
#include "cli/inputs.h"
#include "cli/places.h"
#include "cli/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define PAGE 4096u

/* ---- The rest of the command, as far as a dump asks for it --------------- */

static uint8_t file[64 * PAGE];
static size_t file_bytes;
static const char *state; /* of a snapshot */
static unsigned complaints;
static const char *complaint;

void complain(const char *format, ...)
{
	complaint = format;
	complaints++;
}

const char *code_text(int code)
{
	(void)code;
	return "";
}

bool place_is_input(const char *output, const char *input)
{
	(void)output;
	(void)input;
	return false;
}

int input_open_whole(const char *path)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	bool is_state = strstr(path, "state.json") != NULL;
	const void *bytes = is_state ? (const void *)state : file;
	size_t count = is_state ? strlen(state) : file_bytes;

	assert_int_equal(write(fd, bytes, count), (ssize_t)count);
	return fd;
}

void input_close(int fd)
{
	close(fd);
}

/* ---- What comes of it ---------------------------------------------------- */

static bool is_of_a_file(const struct dump *dump,
                         const struct dump_piece *piece)
{
	for (uint32_t i = 0; i < dump->file_count; i++) {
		const uint8_t *bytes = dump->files[i].bytes;
		size_t count = dump->files[i].count;

		if (piece->host >= bytes && piece->host <= bytes + count &&
		    piece->bytes <= count - (size_t)(piece->host - bytes))
			return true;
	}
	return false;
}

/* Of each layout: in order, apart, and in the files. */
static void expect_sound(struct dump *dump)
{
	for (uint32_t layout = 0; layout < dump_layouts(dump); layout++) {
		uint64_t end = 0;
		uint8_t byte;

		if (dump_use(dump, layout) < 0)
			continue;
		for (uint64_t i = 0; i < dump->count; i++) {
			const struct dump_piece *piece = &dump->pieces[i];
			struct gt_memory_slot slot = dump_slot(dump);

			assert_true(is_of_a_file(dump, piece));
			assert_true(piece->bytes > 0 && piece->gpa >= end);
			end = piece->gpa + piece->bytes;
			assert_true(end <= UINT64_C(1) << 53);
			assert_ptr_equal(dump_at(dump, end - 1, 1),
			                 piece->host + piece->bytes - 1);
			assert_int_equal(
				slot.access->read(slot.host, end - 1, &byte, 1),
				0);
		}
		assert_null(dump_at(dump, end, 1));
	}
}

static int add(const char *text)
{
	struct dump dump = {.count = 0};
	int r;

	complaints = 0;
	r = dump_add(&dump, text);
	assert_int_equal(complaints, r < 0);
	if (r == 0)
		expect_sound(&dump);
	dump_fini(&dump);
	return r;
}

/* ---- Cores --------------------------------------------------------------- */

/* System V ABI: a head of 64 bytes, then one of 56 for each segment. */
static void put(size_t at, uint64_t value, size_t count)
{
	memcpy(file + at, &value, count);
}

static void make_core(bool paged)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	const size_t note = 64 + 4 * 56;

	memset(file, 0, sizeof(file));
	memcpy(file, ident, sizeof(ident));
	put(16, 4, 2), put(18, 62, 2), put(20, 1, 4); /* core, x86-64 */
	put(32, 64, 8), put(52, 64, 2), put(54, 56, 2), put(56, 4, 2);
	for (unsigned i = 0; i < 4; i++) {
		size_t at = 64 + i * 56;

		put(at, i == 0 ? 4 : 1, 4);
		put(at + 8, i == 0 ? note : (1 + 4 * i) * PAGE, 8);
		put(at + 16, i && paged ? 0x7f0000000000 + i * PAGE * 16 : 0,
		    8);
		put(at + 24, i * 0x100000, 8);
		put(at + 32, i == 0 ? 12 + 8 + 440 : 4 * PAGE, 8);
	}
	put(note, 5, 4), put(note + 4, 440, 4);
	memcpy(file + note + 12, "QEMU", 5);
	put(note + 20 + 416, 0x123000, 8);
	file_bytes = 20 * PAGE;
}

static void a_core_says_where_memory_and_page_tables_are(void **unused)
{
	(void)unused;
	for (unsigned paged = 0; paged < 2; paged++) {
		struct dump dump = {.count = 0};

		make_core(paged);
		assert_int_equal(dump_add(&dump, "core"), 0);
		assert_int_equal(dump.count, 3 + paged);
		assert_int_equal(dump.pieces[1].gpa, 0x200000);
		assert_memory_equal(dump.pieces[1].host, file + 9 * PAGE,
		                    4 * PAGE);
		assert_int_equal(dump.root_count, 1 + paged);
		assert_int_equal(dump.roots[0], 0x123000);
		dump_fini(&dump);
	}
}

static void any_changed_byte_of_a_core_is_refused_or_harmless(void **unused)
{
	static const uint8_t values[] = {0, 1, 4, 0x3f, 0x7f, 0x80, 0xff};
	unsigned refused = 0;

	(void)unused;
	for (unsigned paged = 0; paged < 2; paged++)
		for (size_t at = 0; at < 64 + 4 * 56 + 460; at++)
			for (size_t i = 0; i < sizeof(values); i++) {
				make_core(paged);
				file[at] = values[i];
				refused += add("core") < 0;
			}
	assert_true(refused > 500);
}

static void a_core_cut_anywhere_is_refused_or_harmless(void **unused)
{
	(void)unused;
	for (size_t count = 1; count < 20 * PAGE; count += 97) {
		make_core(true);
		file_bytes = count;
		add("core");
	}
}

/* ---- Raw files ----------------------------------------------------------- */

static void a_part_of_a_file_is_taken_as_it_is_said(void **unused)
{
	static const struct {
		const char *text;
		uint64_t gpa, offset, bytes;
		bool bad;
	} cases[] = {
		{"f", 0, 0, 8 * PAGE, false},
		{"f@", 0, 0, 8 * PAGE, false},   /* a name */
		{"f@x", 0, 0, 8 * PAGE, false},  /* likewise */
		{"f@-1", 0, 0, 8 * PAGE, false}, /* likewise */
		{"f@0x10000", 0x10000, 0, 8 * PAGE, false},
		{"f@4096:4096", 4096, 4096, 7 * PAGE, false},
		{"f@0:1:4097", 0, 1, PAGE, false},
		{"f@0:0x2000:8192", 0, 2 * PAGE, 2 * PAGE, false},
		{"f@0:1:2:3", 0, 0, 8 * PAGE, false}, /* a name */
		{"f@1", 0, 0, 0, true},
		{"f@0xfffffffffffff000", 0, 0, 0, true},
		{"f@0:32769", 0, 0, 0, true},
		{"f@0:4096:32768", 0, 0, 0, true},
		{"f@0:18446744073709551615", 0, 0, 0, true},
		{"f@0:0:18446744073709551615", 0, 0, 0, true},
	};

	(void)unused;
	memset(file, 0x5a, sizeof(file));
	file_bytes = 8 * PAGE;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dump dump = {.count = 0};
		int r = dump_add(&dump, cases[i].text);

		assert_int_equal(r < 0, cases[i].bad);
		if (r == 0) {
			assert_int_equal(dump.count, 1);
			assert_true(dump.pieces->gpa == cases[i].gpa);
			assert_true(dump.pieces->bytes == cases[i].bytes);
			assert_ptr_equal(dump.pieces->host,
			                 (const uint8_t *)dump.files[0].bytes +
			                         cases[i].offset);
		}
		dump_fini(&dump);
	}
}

/* ---- Snapshots ----------------------------------------------------------- */

static const char good_state[] =
	"{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":"
	"\"{\\\"memory_ranges\\\":{\\\"data\\\":[{\\\"gpa\\\":0,"
	"\\\"length\\\":8192},{\\\"gpa\\\":1048576,\\\"length\\\":4096}]},"
	"\\\"other\\\":[{\\\"gpa\\\":9}]}\"}},\"cpu\":"
	"\"{\\\"tsc_khz\\\":2600000}\"}}";

static void any_changed_byte_of_a_snapshot_is_refused_or_harmless(void **unused)
{
	static const char values[] = "\\\"]}[{:09 a\x01\xff";
	char changed[sizeof(good_state)];
	struct dump dump = {.count = 0};
	char folder[] = "/tmp/guesttrace-test-XXXXXX";

	(void)unused;
	assert_non_null(mkdtemp(folder));
	file_bytes = 3 * PAGE;
	state = good_state;
	assert_int_equal(dump_add(&dump, folder), 0);
	assert_int_equal(dump.count, 2);
	assert_true(dump.pieces[1].gpa == 1048576 && dump.tsc_khz == 2600000);
	dump_fini(&dump);
	state = changed;
	for (size_t at = 0; at < sizeof(good_state) - 1; at++)
		for (const char *value = values; *value; value++) {
			memcpy(changed, good_state, sizeof(changed));
			changed[at] = *value;
			add(folder);
		}
	for (size_t count = 1; count < sizeof(good_state); count++) {
		memcpy(changed, good_state, count);
		changed[count] = '\0';
		add(folder);
	}
	rmdir(folder);
}

/* Of the command itself see test-dumps. */
static void
compressed_kdumps_are_named_by_a_build_without_the_library(void **unused)
{
	static const char *const magic[] = {"KDUMP   ", "makedumpfile"};
	struct dump dump = {.count = 0};

	(void)unused;
	for (unsigned i = 0; i < 2; i++) {
		memset(file, 0, sizeof(file));
		memcpy(file, magic[i], strlen(magic[i]));
		file_bytes = sizeof(file);
		complaints = 0;
		assert_int_equal(dump_add(&dump, "core"), -ENOTSUP);
		assert_int_equal(complaints, 1);
		assert_non_null(
			strstr(complaint, "built without libkdumpfile"));
		assert_non_null(strstr(complaint, "--format elf"));
		assert_int_equal(dump.count, 0);
	}
	dump_fini(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_core_says_where_memory_and_page_tables_are),
		cmocka_unit_test(
			any_changed_byte_of_a_core_is_refused_or_harmless),
		cmocka_unit_test(a_core_cut_anywhere_is_refused_or_harmless),
		cmocka_unit_test(
			compressed_kdumps_are_named_by_a_build_without_the_library),
		cmocka_unit_test(a_part_of_a_file_is_taken_as_it_is_said),
		cmocka_unit_test(
			any_changed_byte_of_a_snapshot_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
