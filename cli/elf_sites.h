/* SPDX-License-Identifier: MIT */
/* What a guest's ELF file says: its call sites, and where a symbol is. */
#ifndef GT_CLI_ELF_SITES_H
#define GT_CLI_ELF_SITES_H

#include <guesttrace/host.h>

/* As gt_sites_list() of them; 1: the file is no ELF file. */
int elf_sites(int fd, gt_site_fn *show, void *context);

/* Of all the file's bytes, which may be changed. */
int elf_sites_in(char *image, size_t bytes, gt_site_fn *show, void *context);

/* Its value. -ENOENT: it has none; -ENOEXEC: no ELF file. */
int elf_symbol(int fd, const char *name, uint64_t *ret_value);

#endif
