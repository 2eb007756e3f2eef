/* SPDX-License-Identifier: MIT */
/*
 * The ELF reader against files made by hand: what is refused and why, and that
 * whatever is accepted keeps the promises of elf_image.h (threat E6).
 */
#include "vmm/elf_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE          UINT64_C(4096)
#define FILE_BYTES    (4 * PAGE)
#define HEADERS_BYTES (sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr))

/* A good file: code, constants, data with bss, a stack note. */
struct file {
	union {
		struct {
			Elf64_Ehdr header;
			Elf64_Phdr segment[4];
		} at;
		unsigned char bytes[FILE_BYTES];
	} as;
};

static void make_good(struct file *file)
{
	const Elf64_Phdr segments[] = {
		{PT_LOAD, PF_R | PF_X, PAGE, 0x400000, 0x400000, 100, 100,
	         PAGE},
		{PT_LOAD, PF_R, 2 * PAGE, 0x401000, 0x401000, 50, 50, PAGE},
		{PT_LOAD, PF_R | PF_W, 3 * PAGE + 16, 0x402010, 0x402010, 64,
	         2 * PAGE, PAGE},
		{PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16},
	};
	Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
	                    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = 0x400010,
		.e_phoff = sizeof header,
		.e_ehsize = sizeof header,
		.e_phentsize = sizeof segments[0],
		.e_phnum = 4,
	};

	memset(file, 0xcc, sizeof *file);
	file->as.at.header = header;
	memcpy(file->as.at.segment, segments, sizeof segments);
}

/* From an exact copy on the heap, so that a sanitizer sees the first step
 * behind its end. */
static int parse(const void *bytes, size_t n, struct vm__elf *ret_elf,
                 const char **ret_why)
{
	unsigned char *copy = malloc(n ? n : 1);
	struct vm__elf_source source = {.fd = -1, .bytes = copy, .n = n};
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	result = vm__elf_parse(&source, ret_elf, ret_why);
	free(copy);
	return result;
}

static void refuses(const struct file *file, const char *reason)
{
	struct vm__elf elf;
	const char *why = NULL;

	assert_int_equal(parse(file, sizeof *file, &elf, &why), -ENOEXEC);
	if (!strstr(why, reason))
		fail_msg("\"%s\" instead of \"%s\"", why, reason);
}

static bool canonical_image_range(uint64_t gva, uint64_t n)
{
	uint64_t last = gva + n - 1;

	return last >= gva &&
	       ((gva >= PAGE && last < VM__RESERVED_GVA) ||
	        (gva >= UINT64_C(0xffff800000000000) && last < -PAGE));
}

/* Everything that the loader relies on. */
static void keeps_promises(const struct vm__elf *elf, uint64_t file_bytes)
{
	uint64_t before_end = 0;
	bool entry = false;

	assert_in_range(elf->count, 1, VM__ELF_HEADERS_MAX);
	for (unsigned i = 0; i < elf->count; i++) {
		const struct vm__elf_segment *s = &elf->segment[i];

		assert_true(s->memory_bytes > 0);
		assert_true(s->file_bytes <= s->memory_bytes);
		assert_true(s->file_offset <= file_bytes);
		assert_true(s->file_bytes <= file_bytes - s->file_offset);
		assert_true(canonical_image_range(s->page_gva, s->page_bytes));
		assert_true(s->page_gva % PAGE == 0);
		assert_true(s->page_bytes % PAGE == 0);
		assert_true(s->page_gva >= before_end);
		assert_true(s->gva >= s->page_gva);
		assert_true(s->gva - s->page_gva < PAGE);
		assert_true(s->gva + (s->memory_bytes - 1) <
		            s->page_gva + s->page_bytes);
		assert_false(s->prot & VM__WRITE && s->prot & VM__EXECUTE);
		before_end = s->page_gva + s->page_bytes;
		entry |= s->prot & VM__EXECUTE && elf->entry_gva >= s->gva &&
		         elf->entry_gva - s->gva < s->memory_bytes;
	}
	assert_true(entry);
}

static void a_good_file_is_accepted(void **state)
{
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
	keeps_promises(&elf, sizeof file);
	assert_int_equal(elf.count, 3);
	assert_int_equal(elf.entry_gva, 0x400010);
	assert_int_equal(elf.segment[2].gva, 0x402010);
	assert_int_equal(elf.segment[2].page_gva, 0x402000);
	assert_int_equal(elf.segment[2].page_bytes, 3 * PAGE);
	assert_int_equal(elf.segment[2].prot, VM__READ | VM__WRITE);
}

static void high_addresses_are_accepted(void **state)
{
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	for (int i = 0; i < 3; i++)
		file.as.at.segment[i].p_vaddr += UINT64_C(0xffffffff80000000);
	file.as.at.header.e_entry += UINT64_C(0xffffffff80000000);
	assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
	keeps_promises(&elf, sizeof file);
}

/* One changed field each: offset and width in the file, new value, reason. */
struct change {
	size_t at, width;
	uint64_t value;
	const char *reason;
};

#define HEADER(field) \
	offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field)
#define SEGMENT(i, field)                               \
	sizeof(Elf64_Ehdr) + (i) * sizeof(Elf64_Phdr) + \
		offsetof(Elf64_Phdr, field),            \
		sizeof(((Elf64_Phdr *)0)->field)

static void each_fault_in_a_header_is_refused(void **state)
{
	static const struct change changes[] = {
		{0, 1, 0x7e, "not an ELF"},
		{3, 1, 'f', "not an ELF"},
		{EI_CLASS, 1, ELFCLASS32, "64-bit"},
		{EI_DATA, 1, ELFDATA2MSB, "little-endian"},
		{EI_VERSION, 1, 2, "version"},
		{HEADER(e_version), 0, "version"},
		{HEADER(e_machine), EM_AARCH64, "wrong machine"},
		{HEADER(e_machine), EM_386, "wrong machine"},
		{HEADER(e_type), ET_DYN, "position-independent"},
		{HEADER(e_type), ET_REL, "not an executable"},
		{HEADER(e_type), ET_CORE, "not an executable"},
		{HEADER(e_ehsize), 63, "sizes of the headers"},
		{HEADER(e_phentsize), 0, "sizes of the headers"},
		{HEADER(e_phentsize), 55, "sizes of the headers"},
		{HEADER(e_phentsize), 57, "sizes of the headers"},
		{HEADER(e_phentsize), 65535, "sizes of the headers"},
		{HEADER(e_phnum), 0, "no program headers"},
		{HEADER(e_phnum), 65, "too many"},
		{HEADER(e_phnum), 65535, "too many"},
		{HEADER(e_phoff), FILE_BYTES, "truncated"},
		{HEADER(e_phoff), FILE_BYTES - 4 * 56 + 1, "truncated"},
		{HEADER(e_phoff), UINT64_MAX, "truncated"},
		{HEADER(e_phoff), UINT64_MAX - 4 * 56 + 1, "truncated"},
		{HEADER(e_phoff), INT64_MAX, "truncated"},
		{HEADER(e_entry), 0, "entry"},
		{HEADER(e_entry), 0x3fffff, "entry"},
		{HEADER(e_entry), 0x400064, "entry"},
		{HEADER(e_entry), 0x401000, "entry"},
		{HEADER(e_entry), UINT64_MAX, "entry"},
		{SEGMENT(0, p_type), PT_INTERP, "dynamically"},
		{SEGMENT(3, p_type), PT_DYNAMIC, "dynamically"},
		{SEGMENT(0, p_flags), PF_R | PF_W | PF_X, "both writable"},
		{SEGMENT(2, p_flags), PF_W | PF_X, "both writable"},
		{SEGMENT(0, p_flags), PF_R, "entry"},
		{SEGMENT(0, p_memsz), 99, "larger in the file"},
		{SEGMENT(0, p_memsz), 0, "larger in the file"},
		{SEGMENT(0, p_filesz), 101, "larger in the file"},
		{SEGMENT(0, p_memsz), UINT64_C(1) << 63, "outside"},
		{SEGMENT(2, p_memsz), UINT64_C(1) << 63, "outside"},
		{SEGMENT(2, p_memsz), UINT64_MAX, "outside"},
		{SEGMENT(0, p_memsz), PAGE + 1, "share a page"},
		{SEGMENT(1, p_memsz), 2 * PAGE, "share a page"},
		{SEGMENT(0, p_offset), FILE_BYTES, "truncated"},
		{SEGMENT(2, p_offset), FILE_BYTES - 63, "truncated"},
		{SEGMENT(2, p_offset), UINT64_MAX - 4080 + 1, "truncated"},
		{SEGMENT(0, p_vaddr), 0, "outside"},
		{SEGMENT(0, p_vaddr), PAGE - 1, "outside"},
		{SEGMENT(0, p_vaddr), UINT64_C(0x800000000000), "outside"},
		{SEGMENT(0, p_vaddr), UINT64_C(0x700000000000), "outside"},
		{SEGMENT(0, p_vaddr), UINT64_C(0x6fffffffffff), "outside"},
		{SEGMENT(0, p_vaddr), UINT64_C(0xffff7ffffffff000), "outside"},
		{SEGMENT(0, p_vaddr), -PAGE, "outside"},
		{SEGMENT(0, p_vaddr), 0x401000, "share a page"},
		{SEGMENT(1, p_vaddr), 0x402000, "share a page"},
		{SEGMENT(0, p_vaddr), 0x405000, "not in order"},
		{SEGMENT(1, p_vaddr), 0x3ff000, "not in order"},
		{SEGMENT(0, p_align), 3, "power of two"},
		{SEGMENT(0, p_align), PAGE + 1, "power of two"},
		{SEGMENT(0, p_align), UINT64_MAX, "power of two"},
		{SEGMENT(0, p_align), UINT64_C(1) << 63, "aligned as it says"},
		{SEGMENT(2, p_vaddr), 0x402011, "aligned as it says"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct file file;

		make_good(&file);
		memcpy(file.as.bytes + changes[i].at, &changes[i].value,
		       changes[i].width);
		refuses(&file, changes[i].reason);
	}
}

static void a_segment_without_bytes_in_the_file_is_checked_too(void **state)
{
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	file.as.at.segment[2].p_filesz = 0;
	assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
	keeps_promises(&elf, sizeof file);
	file.as.at.segment[2].p_vaddr = 0x401010;
	refuses(&file, "share a page");
	file.as.at.segment[2].p_vaddr = UINT64_C(0x7ffffffff010);
	refuses(&file, "outside");
	make_good(&file);
	file.as.at.segment[2].p_filesz = file.as.at.segment[2].p_memsz = 0;
	file.as.at.segment[2].p_vaddr = 0; /* an empty one is no segment */
	assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
	assert_int_equal(elf.count, 2);
}

static void nothing_to_load_is_refused(void **state)
{
	struct file file;

	(void)state;
	make_good(&file);
	for (int i = 0; i < 3; i++)
		file.as.at.segment[i].p_type = PT_NOTE;
	refuses(&file, "nothing to load");
}

static void sixty_four_headers_are_accepted_and_bounded(void **state)
{
	static unsigned char bytes[2 * PAGE];
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	file.as.at.header.e_phnum = VM__ELF_HEADERS_MAX;
	memcpy(bytes, &file.as.at.header, sizeof file.as.at.header);
	for (uint64_t i = 0; i < VM__ELF_HEADERS_MAX; i++) {
		Elf64_Phdr segment = file.as.at.segment[0];

		segment.p_offset = 0;
		segment.p_vaddr += i * PAGE;
		memcpy(bytes + 64 + i * sizeof segment, &segment,
		       sizeof segment);
	}
	assert_int_equal(parse(bytes, sizeof bytes, &elf, &why), 0);
	assert_int_equal(elf.count, VM__ELF_HEADERS_MAX);
	keeps_promises(&elf, sizeof bytes);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	for (size_t n = 0; n < 3 * PAGE + 16 + 64; n++) {
		assert_int_equal(parse(&file, n, &elf, &why), -ENOEXEC);
		assert_non_null(
			strstr(why, n < 4 ? "not an ELF" : "truncated"));
	}
	assert_int_equal(parse(&file, 3 * PAGE + 16 + 64, &elf, &why), 0);
}

static void any_changed_byte_is_refused_or_harmless(void **state)
{
	struct file good, file;
	struct vm__elf elf;
	const char *why;
	unsigned accepted = 0;

	(void)state;
	make_good(&good);
	for (size_t at = 0; at < HEADERS_BYTES; at++) {
		for (unsigned value = 0; value < 256; value++) {
			file = good;
			file.as.bytes[at] = (unsigned char)value;
			if (parse(&file, sizeof file, &elf, &why) < 0)
				continue;
			keeps_promises(&elf, sizeof file);
			accepted++;
		}
	}
	assert_in_range(accepted, HEADERS_BYTES, 256 * HEADERS_BYTES);
}

static void changed_pairs_of_bytes_are_refused_or_harmless(void **state)
{
	struct file good, file;
	struct vm__elf elf;
	const char *why;
	uint64_t random = 88172645463325252u;

	(void)state;
	make_good(&good);
	for (unsigned i = 0; i < 100000; i++) {
		file = good;
		for (unsigned n = 0; n < 2 + i % 3; n++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			file.as.bytes[random % HEADERS_BYTES] =
				(unsigned char)(random >> 40);
		}
		if (parse(&file, sizeof file, &elf, &why) == 0)
			keeps_promises(&elf, sizeof file);
	}
}

/* ---- The build id ---------------------------------------------------------
 */

/* A note of some owner, one with a long name, and the build id of 20 bytes. */
static const unsigned char notes[] = {
	4,   0,   0,   0,   1,   0,   0,   0,   9,   0,   0,   0,   'X', 'y',
	'z', 0,   7,   0,   0,   0,   6,   0,   0,   0,   2,   0,   0,   0,
	3,   0,   0,   0,   'O', 't', 'h', 'e', 'r', 0,   0,   0,   1,   2,
	0,   0,   4,   0,   0,   0,   20,  0,   0,   0,   3,   0,   0,   0,
	'G', 'N', 'U', 0,   100, 101, 102, 103, 104, 105, 106, 107, 108, 109,
	110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
};

/* Notes in the last segment, at the end of the file, and the id they have. */
static unsigned build_id_of(const void *bytes, size_t count,
                            unsigned char *ret_id)
{
	struct file file;
	struct vm__elf elf;
	const char *why;

	make_good(&file);
	file.as.at.segment[3] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = sizeof file - count,
		.p_filesz = count,
		.p_align = 4,
	};
	memcpy(file.as.bytes + sizeof file - count, bytes, count);
	assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
	memcpy(ret_id, elf.build_id, sizeof elf.build_id);
	return elf.build_id_bytes;
}

static void the_build_id_is_found_behind_other_notes(void **state)
{
	unsigned char id[VM__BUILD_ID_MAX];

	(void)state;
	assert_int_equal(build_id_of(notes, sizeof notes, id), 20);
	assert_memory_equal(id, notes + sizeof notes - 20, 20);
}

static void notes_that_are_cut_or_lie_have_no_build_id(void **state)
{
	unsigned char id[VM__BUILD_ID_MAX], changed[sizeof notes];
	unsigned found = 0;

	(void)state;
	for (size_t n = 0; n < sizeof notes; n++)
		assert_int_equal(build_id_of(notes, n, id), 0);
	for (size_t at = 0; at < sizeof notes - 20; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(changed, notes, sizeof notes);
			changed[at] ^= (unsigned char)(1u << bit);
			found += build_id_of(changed, sizeof changed, id) == 20;
		}
	assert_true(found > 0 && found < 8 * (sizeof notes - 20));
}

static void a_segment_of_notes_behind_the_file_is_no_build_id(void **state)
{
	static const uint64_t offsets[] = {FILE_BYTES, FILE_BYTES - 1,
	                                   UINT64_MAX, UINT64_MAX - 3};
	struct file file;
	struct vm__elf elf;
	const char *why;

	(void)state;
	make_good(&file);
	for (size_t i = 0; i < 4; i++) {
		file.as.at.segment[3] = (Elf64_Phdr){
			.p_type = PT_NOTE,
			.p_offset = offsets[i],
			.p_filesz = UINT64_MAX,
			.p_align = i % 2 ? 8 : UINT64_MAX,
		};
		assert_int_equal(parse(&file, sizeof file, &elf, &why), 0);
		assert_int_equal(elf.build_id_bytes, 0);
	}
}

static void a_file_that_shrinks_meanwhile_is_noticed(void **state)
{
	struct file file;
	struct vm__elf elf;
	const char *why;
	unsigned char byte;
	struct vm__elf_source source = {
		.fd = memfd_create("shrinks", MFD_CLOEXEC),
		.n = sizeof file,
	};

	(void)state;
	make_good(&file);
	assert_true(source.fd >= 0);
	assert_int_equal(write(source.fd, &file, sizeof file), sizeof file);
	assert_int_equal(vm__elf_parse(&source, &elf, &why), 0);
	assert_int_equal(ftruncate(source.fd, 100), 0);
	assert_int_equal(vm__elf_read(&source, 200, &byte, 1), -ENOEXEC);
	assert_int_equal(vm__elf_parse(&source, &elf, &why), -ENOEXEC);
	assert_int_equal(vm__elf_read(&source, UINT64_MAX, &byte, 1), -ENOEXEC);
	close(source.fd);
	assert_int_equal(vm__elf_read(&source, 0, &byte, 1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_accepted),
		cmocka_unit_test(high_addresses_are_accepted),
		cmocka_unit_test(each_fault_in_a_header_is_refused),
		cmocka_unit_test(
			a_segment_without_bytes_in_the_file_is_checked_too),
		cmocka_unit_test(nothing_to_load_is_refused),
		cmocka_unit_test(sixty_four_headers_are_accepted_and_bounded),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(any_changed_byte_is_refused_or_harmless),
		cmocka_unit_test(
			changed_pairs_of_bytes_are_refused_or_harmless),
		cmocka_unit_test(the_build_id_is_found_behind_other_notes),
		cmocka_unit_test(notes_that_are_cut_or_lie_have_no_build_id),
		cmocka_unit_test(
			a_segment_of_notes_behind_the_file_is_no_build_id),
		cmocka_unit_test(a_file_that_shrinks_meanwhile_is_noticed),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
