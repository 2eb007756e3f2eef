/* SPDX-License-Identifier: MIT */
/* What other programs write: cores, and snapshots. */
#include "dump.h"
#include "dump_paging.h"
#include "inputs.h"

#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES UINT64_C(4096)

/* ---- Cores --------------------------------------------------------------- */

/* System V ABI, program header. Nothing of MMIO, which has no bytes. */
static bool is_memory(const GElf_Phdr *head)
{
	return head->p_type == PT_LOAD && head->p_filesz > 0;
}

static bool is_inside(const GElf_Phdr *head, size_t count)
{
	return head->p_offset <= count &&
	       count - head->p_offset >= head->p_filesz;
}

/* Of a process's core all physical addresses are 0. */
static bool is_process(Elf *elf, size_t heads)
{
	size_t loads = 0;

	for (size_t i = 0; i < heads; i++) {
		GElf_Phdr head;

		if (!gelf_getphdr(elf, (int)i, &head) || !is_memory(&head))
			continue;
		if (head.p_paddr != 0)
			return false;
		loads++;
	}
	return loads > 1;
}

/* Made with paging: some virtual address says more than a physical one. */
static bool is_paged(Elf *elf, size_t heads)
{
	for (size_t i = 0; i < heads; i++) {
		GElf_Phdr head;

		if (gelf_getphdr(elf, (int)i, &head) && is_memory(&head) &&
		    head.p_vaddr != 0 && head.p_vaddr != head.p_paddr)
			return true;
	}
	return false;
}

static bool has_control(const uint8_t *bytes, uint64_t count)
{
	const uint64_t magic = GT_CONTROL_MAGIC;

	for (uint64_t at = 0; at + PAGE_BYTES <= count; at += PAGE_BYTES)
		if (memcmp(bytes + at, &magic, sizeof(magic)) == 0)
			return true;
	return false;
}

/*
 * A VMM's own core: guest memory is one of its mappings, and which of them is
 * tried, each from GPA 0 on.
 */
static int add_process(struct dump *dump, Elf *elf, size_t heads,
                       const uint8_t *bytes, size_t count)
{
	uint32_t layouts = 0;
	int r = 0;

	if (dump->layouts > 0)
		return -EEXIST;
	for (size_t i = 0; r == 0 && i < heads; i++) {
		GElf_Phdr head;

		if (!gelf_getphdr(elf, (int)i, &head) || !is_memory(&head))
			continue;
		if (!is_inside(&head, count))
			return -EINVAL;
		if (layouts < DUMP_LAYOUTS_MAX &&
		    has_control(bytes + head.p_offset, head.p_filesz))
			r = dump_add_piece(dump, 0, bytes + head.p_offset,
			                   head.p_filesz, ++layouts);
	}
	if (r == 0 && layouts == 0)
		r = -ENXIO;
	return r;
}

static int add_segment(struct dump *dump, struct mapped *mapped,
                       const GElf_Phdr *head, const uint8_t *bytes,
                       size_t count)
{
	int r;

	if (head->p_type == PT_NOTE && is_inside(head, count))
		return dump_add_notes(dump, bytes + head->p_offset,
		                      head->p_filesz);
	if (!is_memory(head))
		return 0;
	if (!is_inside(head, count))
		return -EINVAL;
	r = dump_add_piece(dump, head->p_paddr, bytes + head->p_offset,
	                   head->p_filesz, 0);
	return r < 0 || !mapped
	               ? r
	               : mapped_add(mapped, head->p_vaddr, head->p_paddr,
	                            head->p_filesz);
}

int dump_add_elf(struct dump *dump, const uint8_t *bytes, size_t count)
{
	struct mapped mapped;
	struct mapped *paged = NULL;
	size_t heads = 0;
	Elf *elf;
	int r = 0;

	mapped_init(&mapped, count);
	elf_version(EV_CURRENT);
	/* libelf writes nothing there as long as nobody asks it to. */
	elf = elf_memory((char *)(uintptr_t)bytes, count);
	if (!elf || elf_getphdrnum(elf, &heads) != 0)
		r = -EINVAL;
	if (r == 0 && is_process(elf, heads)) {
		r = add_process(dump, elf, heads, bytes, count);
		heads = 0;
	}
	if (r == 0 && is_paged(elf, heads))
		paged = &mapped;
	for (size_t i = 0; r == 0 && i < heads; i++) {
		GElf_Phdr head;

		r = gelf_getphdr(elf, (int)i, &head)
		            ? add_segment(dump, paged, &head, bytes, count)
		            : -EINVAL;
	}
	if (r == 0 && paged)
		r = mapped_end(paged, dump);
	mapped_fini(&mapped);
	elf_end(elf);
	return r;
}

/* ---- What is not read ---------------------------------------------------- */

const char *dump_foreign(const uint8_t *bytes, size_t count)
{
	static const struct {
		const char *magic, *text;
	} known[] = {
		{"LibvirtQemudSave",
	         "an image of libvirt's save, which is not read: use virsh dump "
	         "--memory-only --format elf"},
		{"QEVM",
	         "a migration stream of QEMU, which is not read: use "
	         "dump-guest-memory or pmemsave"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].magic);

		if (count >= length &&
		    memcmp(bytes, known[i].magic, length) == 0)
			return known[i].text;
	}
	return NULL;
}

/* ---- Snapshots of cloud-hypervisor --------------------------------------- */

/*
 * In state.json each device's state is JSON in a string of JSON. What is wanted
 * is two names deep in there: the quotes' backslashes are passed over, so that
 * it does not matter how deep.
 */
struct text {
	const uint8_t *at, *end;
};

/* Behind the next "NAME"; false: there is none before `stop`. */
static bool find_name(struct text *text, const char *name, uint8_t stop)
{
	size_t length = strlen(name);

	for (const uint8_t *at = text->at;
	     (size_t)(text->end - at) > length && *at != stop; at++)
		if (*at == (uint8_t)*name && memcmp(at, name, length) == 0 &&
		    (at[length] == '"' || at[length] == '\\')) {
			text->at = at + length;
			return true;
		}
	return false;
}

/* Behind a name, with quotes, backslashes, a colon and blanks before it. */
static bool take_number(struct text *text, uint64_t *ret_number)
{
	const uint8_t *first;
	uint64_t number = 0;

	while (text->at < text->end && strchr("\\\": \n", *text->at) && *text->at)
		text->at++;
	for (first = text->at; text->at < text->end && *text->at >= '0' &&
	                       *text->at <= '9';
	     text->at++) {
		if (number > (UINT64_MAX - 9) / 10)
			return false;
		number = 10 * number + (uint64_t)(*text->at - '0');
	}
	*ret_number = number;
	return text->at > first;
}

/* The ranges lie in the file one behind the other. */
static int add_ranges(struct dump *dump, struct text text, uint32_t memory)
{
	const uint8_t *bytes = dump->files[memory].bytes;
	uint64_t left = dump->files[memory].count, gpa, length;
	uint64_t ranges = 0;

	if (!find_name(&text, "memory_ranges", '\0'))
		return -EINVAL;
	while (find_name(&text, "gpa", ']') && take_number(&text, &gpa) &&
	       find_name(&text, "length", ']') &&
	       take_number(&text, &length)) {
		int r = length > left
		                ? -ERANGE
		                : dump_add_piece(dump, gpa, bytes, length, 0);

		if (r < 0)
			return r;
		bytes += length;
		left -= length;
		ranges++;
	}
	return ranges ? 0 : -EINVAL;
}

static int map_in(struct dump *dump, const char *folder, const char *name)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	r = dump_map_file(dump, path);
	free(path);
	return r;
}

int dump_add_directory(struct dump *dump, const char *path)
{
	struct text text;
	uint32_t state = dump->file_count;
	uint64_t khz;
	int r = map_in(dump, path, "state.json");

	if (r == 0)
		r = map_in(dump, path, "memory-ranges");
	if (r < 0)
		return r;
	text.at = dump->files[state].bytes;
	text.end = text.at + dump->files[state].count;
	r = add_ranges(dump, text, state + 1);
	if (r == 0 && find_name(&text, "tsc_khz", '\0') &&
	    take_number(&text, &khz))
		dump->tsc_khz = khz;
	return r;
}
