/* SPDX-License-Identifier: MIT */
#include "elf_sites.h"

#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

static Elf_Scn *find_section(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section)) != NULL) {
		const Elf64_Shdr *head = elf64_getshdr(section);
		const char *name =
			head ? elf_strptr(elf, names, head->sh_name) : NULL;

		if (name && strcmp(name, "gt_sites") == 0)
			return section;
	}
	return NULL;
}

/* What a loader would store into the table of a guest that may lie anywhere:
 * R_X86_64_RELATIVE, for the addresses of functions' names. */
static void relocate(const Elf64_Rela *entries, size_t count, uint64_t gva,
                     uint8_t *table, size_t bytes)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at = entries[i].r_offset - gva;

		if (ELF64_R_TYPE(entries[i].r_info) == R_X86_64_RELATIVE &&
		    at < bytes && bytes - at >= sizeof(entries[i].r_addend))
			memcpy(table + at, &entries[i].r_addend,
			       sizeof(entries[i].r_addend));
	}
}

static void relocate_all(Elf *elf, uint64_t gva, uint8_t *table, size_t bytes)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		const Elf64_Shdr *head = elf64_getshdr(section);
		const Elf_Data *data = head && head->sh_type == SHT_RELA
		                               ? elf_getdata(section, NULL)
		                               : NULL;

		if (data && data->d_type == ELF_T_RELA)
			relocate(data->d_buf, data->d_size / sizeof(Elf64_Rela),
			         gva, table, bytes);
	}
}

static int read_segment(const Elf64_Phdr *segment, const char *file,
                        size_t file_bytes, uint64_t at, void *to, size_t count)
{
	size_t there = segment->p_filesz - at;

	if (segment->p_offset > file_bytes ||
	    segment->p_filesz > file_bytes - segment->p_offset)
		return -EINVAL;
	if (there > count)
		there = count;
	memcpy(to, file + segment->p_offset + at, there);
	memset((char *)to + there, 0, count - there);
	return 0;
}

/* Behind the bytes of a segment there are zeros up to the end of its page. */
static int read_image(void *context, uint64_t gva, void *to, size_t count)
{
	Elf *elf = context;
	size_t segments, file_bytes;
	const Elf64_Phdr *segment = elf64_getphdr(elf);
	const char *file = elf_rawfile(elf, &file_bytes);

	if (!segment || !file || elf_getphdrnum(elf, &segments) != 0)
		return -ENOENT;
	for (size_t i = 0; i < segments; i++)
		if (segment[i].p_type == PT_LOAD &&
		    gva - segment[i].p_vaddr < segment[i].p_filesz)
			return read_segment(&segment[i], file, file_bytes,
			                    gva - segment[i].p_vaddr, to,
			                    count);
	return -ENOENT;
}

static int list(Elf *elf, gt_site_fn *show, void *context)
{
	Elf_Scn *section = find_section(elf);
	const Elf64_Shdr *head = section ? elf64_getshdr(section) : NULL;
	const Elf_Data *data = head ? elf_rawdata(section, NULL) : NULL;
	uint8_t *table;
	int r;

	if (!data || !data->d_buf)
		return 0;
	table = malloc(data->d_size + 1);
	if (!table)
		return -ENOMEM;
	memcpy(table, data->d_buf, data->d_size);
	relocate_all(elf, head->sh_addr, table, data->d_size);
	r = gt_sites_list(table, data->d_size, read_image, elf, show, context);
	free(table);
	return r;
}

static int list_if_elf(Elf *elf, gt_site_fn *show, void *context)
{
	int r = 1;

	if (elf && elf_kind(elf) == ELF_K_ELF)
		r = list(elf, show, context);
	elf_end(elf);
	return r;
}

int elf_sites(int fd, gt_site_fn *show, void *context)
{
	elf_version(EV_CURRENT);
	return list_if_elf(elf_begin(fd, ELF_C_READ_MMAP, NULL), show, context);
}

int elf_sites_in(char *image, size_t bytes, gt_site_fn *show, void *context)
{
	elf_version(EV_CURRENT);
	return list_if_elf(elf_memory(image, bytes), show, context);
}

/* ---- A symbol ------------------------------------------------------------ */

static int find_symbol(Elf *elf, Elf_Scn *section, const char *name,
                       uint64_t *ret_value)
{
	const Elf64_Shdr *head = elf64_getshdr(section);
	const Elf_Data *data = head && head->sh_type == SHT_SYMTAB
	                               ? elf_getdata(section, NULL)
	                               : NULL;
	const Elf64_Sym *symbols = data ? data->d_buf : NULL;
	size_t count = symbols && data->d_type == ELF_T_SYM
	                       ? data->d_size / sizeof(*symbols)
	                       : 0;

	for (size_t i = 0; i < count; i++) {
		const char *text =
			elf_strptr(elf, head->sh_link, symbols[i].st_name);

		if (text && strcmp(text, name) == 0) {
			*ret_value = symbols[i].st_value;
			return 0;
		}
	}
	return -ENOENT;
}

int elf_symbol(int fd, const char *name, uint64_t *ret_value)
{
	Elf_Scn *section = NULL;
	int r = -ENOENT;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		r = -ENOEXEC;
	while (r == -ENOENT && (section = elf_nextscn(elf, section)) != NULL)
		r = find_symbol(elf, section, name, ret_value);
	elf_end(elf);
	return r;
}
