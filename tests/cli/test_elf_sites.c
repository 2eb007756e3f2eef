/* SPDX-License-Identifier: MIT */
/* The call sites of a file, by its sections (threat E6). */
#include "cli/elf_sites.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static const char names[] = "\0gt_sites\0.shstrtab";

static struct file {
	Elf64_Ehdr head;
	Elf64_Shdr sections[3];
	char names[sizeof(names)];
	struct gt_site site;
	char text[16]; /* behind the head of the site */
} file;

static void make(uint32_t type)
{
	memset(&file, 0, sizeof(file));
	memcpy(file.head.e_ident, ELFMAG "\2\1\1", 7);
	file.head.e_type = ET_EXEC;
	file.head.e_machine = EM_X86_64;
	file.head.e_version = EV_CURRENT;
	file.head.e_ehsize = sizeof(file.head);
	file.head.e_shoff = offsetof(struct file, sections);
	file.head.e_shentsize = sizeof(file.sections[0]);
	file.head.e_shnum = 3;
	file.head.e_shstrndx = 2;
	file.sections[1] = (Elf64_Shdr){
		.sh_name = 1,
		.sh_type = type,
		.sh_flags = SHF_ALLOC,
		.sh_offset = offsetof(struct file, site),
		.sh_size = sizeof(file.site) + sizeof(file.text),
		.sh_addralign = 8,
	};
	file.sections[2] = (Elf64_Shdr){
		.sh_name = 10,
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct file, names),
		.sh_size = sizeof(names),
		.sh_addralign = 1,
	};
	memcpy(file.names, names, sizeof(names));
	file.site = (struct gt_site){.kind = GT_SITE_EVENT,
	                             .level = GT_INFO,
	                             .size = sizeof(file.site) + 13,
	                             .magic = GT_SITE_MAGIC};
	memcpy(file.text, "name\0net\0a.c", 13);
}

static int count(void *context, const struct gt_site_view *site,
                 enum gt_site_kind kind)
{
	++*(unsigned *)context;
	assert_int_equal(kind, GT_SITE_EVENT);
	assert_int_equal(site->name.count, 4);
	return 0;
}

static int list(size_t bytes, unsigned *ret_sites)
{
	int fd = memfd_create("image", MFD_CLOEXEC), r;

	assert_int_equal(write(fd, &file, bytes), (ssize_t)bytes);
	*ret_sites = 0;
	r = elf_sites(fd, count, ret_sites);
	close(fd);
	return r;
}

static void the_sites_of_a_section_are_listed(void **unused)
{
	unsigned sites;

	(void)unused;
	make(SHT_PROGBITS);
	assert_int_equal(list(sizeof(file), &sites), 0);
	assert_int_equal(sites, 1);
}

/* System V ABI, "Sections": SHT_NOBITS has a size, and no bytes. */
static void a_section_without_bytes_has_none(void **unused)
{
	unsigned sites;

	(void)unused;
	make(SHT_NOBITS);
	assert_int_equal(list(sizeof(file), &sites), 0);
	assert_int_equal(sites, 0);
}

static void what_is_no_elf_file_is_told(void **unused)
{
	unsigned sites;

	(void)unused;
	make(SHT_PROGBITS);
	file.head.e_ident[0] = 'x';
	assert_int_equal(list(sizeof(file), &sites), 1);
}

static void a_file_cut_anywhere_is_harmless(void **unused)
{
	unsigned sites;

	(void)unused;
	make(SHT_PROGBITS);
	for (size_t bytes = 0; bytes < sizeof(file); bytes++)
		list(bytes, &sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sites_of_a_section_are_listed),
		cmocka_unit_test(a_section_without_bytes_has_none),
		cmocka_unit_test(what_is_no_elf_file_is_told),
		cmocka_unit_test(a_file_cut_anywhere_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
