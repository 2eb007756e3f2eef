/* SPDX-License-Identifier: MIT */
/*
 * The ELF64 loader's reading half: headers in, checked segments out. Field
 * names are those of the ELF specification, chapters "ELF Header" and "Program
 * Header". All length arithmetic is in subtraction form: nothing can wrap.
 */
#include "elf_image.h"

#include <errno.h>
#include <string.h>

#define LOW_HALF_END  VM__RESERVED_GVA
#define HIGH_HALF_GVA UINT64_C(0xffff800000000000)
#define LAST_PAGE_GVA (UINT64_MAX - VM__PAGE_BYTES + 1)

/* What is wrong with the file header, or NULL. */
static const char *check_header(const Elf64_Ehdr *header)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return "not a 64-bit ELF file";
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return "not a little-endian ELF file";
	if (header->e_ident[EI_VERSION] != EV_CURRENT ||
	    header->e_version != EV_CURRENT)
		return "unknown ELF version";
	if (header->e_machine != EM_X86_64)
		return "wrong machine: not for x86-64";
	if (header->e_type == ET_DYN)
		return "position-independent or shared: link with -static "
		       "-no-pie";
	if (header->e_type != ET_EXEC)
		return "not an executable";
	if (header->e_ehsize < sizeof *header ||
	    header->e_phentsize != sizeof(Elf64_Phdr))
		return "malformed: sizes of the headers";
	if (header->e_phnum == 0)
		return "no program headers";
	if (header->e_phnum > VM__ELF_HEADERS_MAX)
		return "too many program headers";
	return NULL;
}

/* Both ends within one half of what an image may use. */
static bool range_allowed(uint64_t gva, uint64_t n)
{
	if (gva < VM__PAGE_BYTES)
		return false;
	if (gva < LOW_HALF_END)
		return n <= LOW_HALF_END - gva;
	return gva >= HIGH_HALF_GVA && gva < LAST_PAGE_GVA &&
	       n <= LAST_PAGE_GVA - gva;
}

static const char *check_segment(const Elf64_Phdr *header, uint64_t file_bytes)
{
	uint64_t align = header->p_align;

	if (header->p_filesz > header->p_memsz)
		return "malformed: segment larger in the file than in memory";
	if (header->p_offset > file_bytes ||
	    file_bytes - header->p_offset < header->p_filesz)
		return "truncated: a segment lies behind the end of the file";
	if (!range_allowed(header->p_vaddr, header->p_memsz))
		return "a segment lies outside of what an image may use";
	if (align > 1 && (align & (align - 1)) != 0)
		return "malformed: alignment is not a power of two";
	if (align > 1 && ((header->p_vaddr - header->p_offset) & (align - 1)))
		return "malformed: segment is not aligned as it says";
	if (header->p_flags & PF_W && header->p_flags & PF_X)
		return "a segment is both writable and executable";
	return NULL;
}

static struct vm__elf_segment segment_from(const Elf64_Phdr *header)
{
	uint64_t before = header->p_vaddr & (VM__PAGE_BYTES - 1);
	uint64_t n = before + header->p_memsz + VM__PAGE_BYTES - 1;

	return (struct vm__elf_segment){
		.gva = header->p_vaddr,
		.memory_bytes = header->p_memsz,
		.file_offset = header->p_offset,
		.file_bytes = header->p_filesz,
		.page_gva = header->p_vaddr - before,
		.page_bytes = n - n % VM__PAGE_BYTES,
		.prot = VM__READ | (header->p_flags & PF_W ? VM__WRITE : 0u) |
	                (header->p_flags & PF_X ? VM__EXECUTE : 0u),
	};
}

static const char *take_segment(struct vm__elf *elf, const Elf64_Phdr *header,
                                uint64_t file_bytes)
{
	const char *why;

	if (header->p_type == PT_INTERP || header->p_type == PT_DYNAMIC)
		return "dynamically linked: link with -static";
	if (header->p_type != PT_LOAD ||
	    (header->p_memsz == 0 && header->p_filesz == 0))
		return NULL;
	why = check_segment(header, file_bytes);
	if (why)
		return why;
	elf->segment[elf->count] = segment_from(header);
	if (elf->count > 0) {
		const struct vm__elf_segment *last = &elf->segment[elf->count];
		const struct vm__elf_segment *before = last - 1;

		if (last->page_gva < before->page_gva)
			return "malformed: segments are not in order";
		if (last->page_gva - before->page_gva < before->page_bytes)
			return "segments overlap or share a page";
	}
	elf->count++;
	return NULL;
}

static bool entry_executable(const struct vm__elf *elf)
{
	for (unsigned i = 0; i < elf->count; i++) {
		const struct vm__elf_segment *segment = &elf->segment[i];

		if (segment->prot & VM__EXECUTE &&
		    elf->entry_gva >= segment->gva &&
		    elf->entry_gva - segment->gva < segment->memory_bytes)
			return true;
	}
	return false;
}

static const char *take_all(struct vm__elf *elf, const Elf64_Phdr *headers,
                            unsigned count, uint64_t file_bytes)
{
	for (unsigned i = 0; i < count; i++) {
		const char *why = take_segment(elf, &headers[i], file_bytes);

		if (why)
			return why;
	}
	if (elf->count == 0)
		return "nothing to load";
	if (!entry_executable(elf))
		return "the entry is not in an executable segment";
	return NULL;
}

int vm__elf_parse(const struct vm__elf_source *source, struct vm__elf *ret_elf,
                  const char **ret_why)
{
	Elf64_Phdr headers[VM__ELF_HEADERS_MAX];
	Elf64_Ehdr header = {0};
	int result;

	memset(ret_elf, 0, sizeof *ret_elf);
	if (source->n < sizeof header) {
		/* So that a short text file is not called truncated. */
		vm__elf_read(source, 0, &header, (size_t)source->n);
		*ret_why = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0
		                   ? "truncated: shorter than its header"
		                   : "not an ELF file";
		return -ENOEXEC;
	}
	result = vm__elf_read(source, 0, &header, sizeof header);
	*ret_why = result < 0 ? "cannot be read" : check_header(&header);
	if (*ret_why)
		return result < 0 ? result : -ENOEXEC;
	result = vm__elf_read(source, header.e_phoff, headers,
	                      header.e_phnum * sizeof headers[0]);
	if (result < 0) {
		*ret_why = "truncated: program headers behind the end";
		return result;
	}
	ret_elf->entry_gva = header.e_entry;
	*ret_why = take_all(ret_elf, headers, header.e_phnum, source->n);
	if (*ret_why)
		return -ENOEXEC;
	vm__elf_find_build_id(source, headers, header.e_phnum, ret_elf);
	return 0;
}
