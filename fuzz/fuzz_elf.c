/* SPDX-License-Identifier: MIT */
/*
 * A guest's image: what the loader would load of it, and the call sites that the
 * command lists (threat E6). What is accepted is within the file and apart, no
 * page can be both written and run, and the entry can be run.
 */
#include "cli/elf_sites.h"
#include "vmm/elf_image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_image(const struct vm__elf *elf, uint64_t file_bytes)
{
	uint64_t end = VM__PAGE_BYTES;
	bool runs = false;

	check(elf->count >= 1 && elf->count <= VM__ELF_HEADERS_MAX);
	check(elf->build_id_bytes <= VM__BUILD_ID_MAX);
	for (unsigned i = 0; i < elf->count; i++) {
		const struct vm__elf_segment *s = &elf->segment[i];

		check(s->memory_bytes > 0 && s->file_bytes <= s->memory_bytes);
		check(s->file_offset <= file_bytes &&
		      s->file_bytes <= file_bytes - s->file_offset);
		check(s->page_gva >= end && s->page_gva <= s->gva);
		check(s->gva - s->page_gva + s->memory_bytes <= s->page_bytes);
		end = s->page_gva + s->page_bytes;
		check(end > s->page_gva);
		check(!(s->prot & VM__WRITE) || !(s->prot & VM__EXECUTE));
		runs |= s->prot & VM__EXECUTE && elf->entry_gva >= s->gva &&
		        elf->entry_gva - s->gva < s->memory_bytes;
	}
	check(runs);
}

static int show(void *context, const struct gt_site_view *site,
                enum gt_site_kind kind)
{
	(void)context;
	(void)kind;
	check(site->name.count + site->target.count + site->file.count <
	      65536);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct vm__elf_source source = {.fd = -1, .bytes = bytes, .n = count};
	static struct vm__elf elf;
	static int fd = -1;
	const char *why = NULL;
	int r = vm__elf_parse(&source, &elf, &why);

	check(r == 0 ? !why : why != NULL);
	if (r == 0)
		check_image(&elf, count);
	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	check(ftruncate(fd, 0) == 0 &&
	      pwrite(fd, bytes, count, 0) == (ssize_t)count);
	elf_sites(fd, show, NULL);
	return 0;
}
