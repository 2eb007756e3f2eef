/* SPDX-License-Identifier: MIT */
#include "elf_sites.h"

#include <libelf.h>
#include <string.h>

static Elf_Data *find_section(Elf *elf)
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
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

int elf_sites(int fd, elf_site_fn *show, void *context)
{
	Elf *elf;
	Elf_Data *data;
	int r = 1;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		data = find_section(elf);
		/* A section that has no bytes in the file has a size, too. */
		r = data && data->d_buf
		            ? gt_sites_list(data->d_buf, data->d_size, show,
		                            context)
		            : 0;
	}
	elf_end(elf);
	return r;
}
