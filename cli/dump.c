/* SPDX-License-Identifier: MIT */
#include "dump.h"
#include "command.h"
#include "inputs.h"
#include "places.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)

/* ---- Files --------------------------------------------------------------- */

static int add_slot(struct dump *dump, uint64_t gpa, void *host, uint64_t bytes)
{
	bytes &= ~(PAGE_BYTES - 1); /* of a torn page nothing is known */
	if (bytes == 0)
		return 0;
	if (gpa % PAGE_BYTES != 0 || bytes - 1 > ~gpa)
		return -EINVAL;
	if (dump->count == GT_MEMORY_SLOTS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < dump->count; i++) {
		const struct gt_memory_slot *slot = &dump->slots[i];

		if (gpa < slot->gpa + slot->bytes && slot->gpa < gpa + bytes)
			return -EEXIST;
	}
	dump->slots[dump->count++] = (struct gt_memory_slot){
		.gpa = gpa, .bytes = bytes, .host = host};
	return 0;
}

static int keep_mapping(struct dump *dump, void *bytes, size_t count)
{
	if (bytes == MAP_FAILED)
		return -errno;
	if (dump->file_count == GT_MEMORY_SLOTS_MAX) {
		munmap(bytes, count);
		return -E2BIG;
	}
	dump->files[dump->file_count].bytes = bytes;
	dump->files[dump->file_count++].count = count;
	return 0;
}

static int map_file(struct dump *dump, const char *path)
{
	int fd = input_open_whole(path), r;
	struct stat info;

	if (fd < 0)
		return fd;
	r = fstat(fd, &info) < 0 ? -errno : 0;
	if (r == 0 && (!S_ISREG(info.st_mode) || info.st_size == 0))
		r = -EINVAL;
	if (r == 0)
		r = keep_mapping(dump,
		                 mmap(NULL, (size_t)info.st_size,
		                      PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		                      0),
		                 (size_t)info.st_size);
	if (r == 0)
		dump->files[dump->file_count - 1].path = strdup(path);
	input_close(fd);
	return r;
}

/* System V ABI, program header: PT_LOAD, p_offset, p_paddr, p_filesz. */
static int add_segments(struct dump *dump, Elf *elf, char *bytes, size_t count)
{
	size_t n;

	if (elf_getphdrnum(elf, &n) != 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr head;
		int r;

		if (!gelf_getphdr(elf, (int)i, &head))
			return -EINVAL;
		if (head.p_type != PT_LOAD)
			continue;
		if (head.p_offset > count ||
		    count - head.p_offset < head.p_filesz ||
		    head.p_offset % 8 != 0)
			return -EINVAL;
		r = add_slot(dump, head.p_paddr, bytes + head.p_offset,
		             head.p_filesz);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_mapped(struct dump *dump, uint64_t gpa, bool has_gpa)
{
	char *bytes = dump->files[dump->file_count - 1].bytes;
	size_t count = dump->files[dump->file_count - 1].count;
	Elf *elf;
	int r;

	if (has_gpa || count < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return add_slot(dump, gpa, bytes, count);
	elf_version(EV_CURRENT);
	elf = elf_memory(bytes, count);
	r = elf ? add_segments(dump, elf, bytes, count) : -EINVAL;
	elf_end(elf);
	return r;
}

static bool split(const char *text, char **ret_path, uint64_t *ret_gpa,
                  bool *ret_has_gpa)
{
	const char *at = strrchr(text, '@');
	char *end;

	errno = 0;
	*ret_gpa = at ? strtoull(at + 1, &end, 0) : 0;
	*ret_has_gpa = at && end != at + 1 && *end == '\0' && errno == 0;
	*ret_path = *ret_has_gpa ? strndup(text, (size_t)(at - text))
	                         : strdup(text);
	return *ret_path != NULL;
}

int dump_add(struct dump *dump, const char *text)
{
	bool has_gpa;
	uint64_t gpa;
	char *path;
	int r = -ENOMEM;

	if (split(text, &path, &gpa, &has_gpa)) {
		r = map_file(dump, path);
		if (r == 0)
			r = add_mapped(dump, has_gpa ? gpa : 0, has_gpa);
		free(path);
	}
	if (r == -EEXIST)
		complain("%s: memory that another file has as well", text);
	else if (r == -EINVAL)
		complain("%s: neither memory at a page's address nor a core",
		         text);
	else if (r == -E2BIG)
		complain("%s: more than %u pieces of memory", text,
		         GT_MEMORY_SLOTS_MAX);
	else if (r < 0)
		complain("%s: %s", text, code_text(r));
	return r;
}

bool dump_is_replaced(const struct dump *dump, const char *output)
{
	for (uint32_t i = 0; i < dump->file_count; i++)
		if (dump->files[i].path &&
		    place_is_input(output, dump->files[i].path))
			return true;
	return false;
}

void dump_fini(struct dump *dump)
{
	for (uint32_t i = 0; i < dump->file_count; i++) {
		munmap(dump->files[i].bytes, dump->files[i].count);
		free(dump->files[i].path);
	}
	*dump = (struct dump){0};
}

/* ---- Addresses ----------------------------------------------------------- */

const void *dump_at(const struct dump *dump, uint64_t gpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < dump->count; i++) {
		const struct gt_memory_slot *slot = &dump->slots[i];

		if (gpa >= slot->gpa && gpa - slot->gpa < slot->bytes &&
		    slot->bytes - (gpa - slot->gpa) >= bytes)
			return (const char *)slot->host + (gpa - slot->gpa);
	}
	return NULL;
}

uint64_t dump_end(const struct dump *dump)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < dump->count; i++)
		if (dump->slots[i].gpa + dump->slots[i].bytes > end)
			end = dump->slots[i].gpa + dump->slots[i].bytes;
	return end;
}

/* Intel SDM volume 3, 4.5: bits of an entry of 4-level paging. */
#define PRESENT  UINT64_C(1)
#define WRITABLE UINT64_C(2)
#define LARGE    (UINT64_C(1) << 7) /* in levels 2 and 3: a page, no table */

int dump_add_identity(struct dump *dump, uint64_t *ret_root)
{
	uint64_t root = dump_end(dump), *tables;
	int r;

	if (root >> 52)
		return -E2BIG;
	tables = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = keep_mapping(dump, tables, 2 * PAGE_BYTES);
	if (r == 0)
		r = add_slot(dump, root, tables, 2 * PAGE_BYTES);
	if (r < 0)
		return r;
	tables[0] = (root + PAGE_BYTES) | PRESENT | WRITABLE;
	for (uint64_t i = 0; i < 512; i++)
		tables[512 + i] = i << 30 | PRESENT | WRITABLE | LARGE;
	*ret_root = root;
	return 0;
}
