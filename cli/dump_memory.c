/* SPDX-License-Identifier: MIT */
/* The pieces of a dump, and the files that they are of. */
#include "dump.h"
#include "inputs.h"
#include "places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)

/* ---- Pieces -------------------------------------------------------------- */

int dump_add_piece(struct dump *dump, uint64_t gpa, const uint8_t *bytes,
                   uint64_t count, uint32_t layout)
{
	struct dump_piece *grown = dump->known;

	count &= ~(PAGE_BYTES - 1); /* of a torn page nothing is known */
	if (count == 0)
		return 0;
	if (gpa % PAGE_BYTES != 0 || gpa >> 52 || count >> 52)
		return -EINVAL;
	if (dump->known_count == dump->known_room) {
		dump->known_room = 2 * dump->known_room + 8;
		grown = realloc(dump->known, dump->known_room * sizeof(*grown));
	}
	if (!grown)
		return -ENOMEM;
	dump->known = grown;
	grown[dump->known_count++] =
		(struct dump_piece){gpa, count, bytes, layout};
	if (layout > dump->layouts)
		dump->layouts = layout;
	return 0;
}

int dump_add_root(struct dump *dump, uint64_t cr3)
{
	uint64_t *grown;

	for (uint64_t i = 0; i < dump->root_count; i++)
		if (dump->roots[i] == cr3)
			return 0;
	if (dump->root_count == GT_VCPUS_MAX)
		return 0;
	grown = realloc(dump->roots, (dump->root_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	dump->roots = grown;
	grown[dump->root_count++] = cr3;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct dump_piece *a = left, *b = right;

	if (a->gpa != b->gpa)
		return a->gpa < b->gpa ? -1 : 1;
	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

/* Joins what two say of the same bytes, as a core that was made with paging
 * does of what is mapped twice. -EEXIST: they differ. */
static int join(struct dump *dump)
{
	struct dump_piece *last = NULL;
	uint64_t count = 0;

	for (uint64_t i = 0; i < dump->count; i++) {
		struct dump_piece *piece = &dump->pieces[i];
		uint64_t at = last ? piece->gpa - last->gpa : 0;

		if (!last || at >= last->bytes) {
			last = &dump->pieces[count++];
			*last = *piece;
			continue;
		}
		if (piece->host != last->host + at)
			return -EEXIST;
		if (piece->bytes > last->bytes - at)
			last->bytes = at + piece->bytes;
	}
	dump->count = count;
	return 0;
}

uint32_t dump_layouts(const struct dump *dump)
{
	return dump->layouts ? dump->layouts : 1;
}

int dump_use(struct dump *dump, uint32_t layout)
{
	free(dump->pieces);
	dump->count = 0;
	dump->pieces = calloc(dump->known_count + 1, sizeof(*dump->pieces));
	if (!dump->pieces)
		return -ENOMEM;
	for (uint64_t i = 0; i < dump->known_count; i++)
		if (dump->known[i].layout == 0 ||
		    dump->known[i].layout == layout + 1)
			dump->pieces[dump->count++] = dump->known[i];
	qsort(dump->pieces, dump->count, sizeof(*dump->pieces), compare);
	return join(dump);
}

/* ---- Files --------------------------------------------------------------- */

int dump_keep_mapping(struct dump *dump, void *bytes, size_t count)
{
	if (bytes == MAP_FAILED)
		return -errno;
	if (dump->file_count == DUMP_FILES_MAX) {
		munmap(bytes, count);
		return -E2BIG;
	}
	dump->files[dump->file_count].bytes = bytes;
	dump->files[dump->file_count++].count = count;
	return 0;
}

int dump_map_file(struct dump *dump, const char *path)
{
	int fd = input_open_whole(path), r;
	struct stat info;

	if (fd < 0)
		return fd;
	r = fstat(fd, &info) < 0 ? -errno : 0;
	if (r == 0 && (!S_ISREG(info.st_mode) || info.st_size == 0))
		r = -EINVAL;
	if (r == 0)
		r = dump_keep_mapping(dump,
		                      mmap(NULL, (size_t)info.st_size,
		                           PROT_READ | PROT_WRITE, MAP_PRIVATE,
		                           fd, 0),
		                      (size_t)info.st_size);
	if (r == 0)
		dump->files[dump->file_count - 1].path = strdup(path);
	input_close(fd);
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
	free(dump->pieces);
	free(dump->known);
	free(dump->roots);
	*dump = (struct dump){0};
}

/* ---- Addresses ----------------------------------------------------------- */

const uint8_t *dump_at(const struct dump *dump, uint64_t gpa, uint64_t bytes)
{
	uint64_t low = 0, high = dump->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		const struct dump_piece *piece = &dump->pieces[middle];

		if (gpa < piece->gpa)
			high = middle;
		else if (gpa - piece->gpa >= piece->bytes)
			low = middle + 1;
		else
			return piece->bytes - (gpa - piece->gpa) >= bytes
			               ? piece->host + (gpa - piece->gpa)
			               : NULL;
	}
	return NULL;
}

/* A page of the guest's may be larger than a piece. */
static int read_dump(void *context, uint64_t offset, void *to, size_t count)
{
	uint8_t *bytes = to;

	while (count > 0) {
		size_t part = PAGE_BYTES - offset % PAGE_BYTES;
		const uint8_t *at;

		part = part < count ? part : count;
		at = dump_at(context, offset, part);
		if (!at)
			return -1;
		memcpy(bytes, at, part);
		bytes += part;
		offset += part;
		count -= part;
	}
	return 0;
}

/* The dead are told nothing. */
static int ignore_write(void *context, uint64_t offset, const void *from,
                        size_t count)
{
	(void)context;
	(void)offset;
	(void)from;
	(void)count;
	return 0;
}

struct gt_memory_slot dump_slot(struct dump *dump)
{
	static const struct gt_memory_access access = {.read = read_dump,
	                                               .write = ignore_write};

	return (struct gt_memory_slot){
		.bytes = dump_end(dump),
		.host = dump,
		.access = &access,
	};
}

uint64_t dump_end(const struct dump *dump)
{
	const struct dump_piece *last = dump->pieces + dump->count - 1;

	return dump->count ? last->gpa + last->bytes : 0;
}

uint64_t dump_bytes(const struct dump *dump)
{
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < dump->count; i++)
		bytes += dump->pieces[i].bytes;
	return bytes;
}

/* Intel SDM volume 3, 4.5: bits of an entry of 4-level paging. */
#define PRESENT  UINT64_C(1)
#define WRITABLE UINT64_C(2)
#define LARGE    (UINT64_C(1) << 7) /* in levels 2 and 3: a page, no table */

int dump_add_identity(struct dump *dump, uint64_t *ret_root)
{
	uint64_t root = dump_end(dump), *tables;
	int r;

	if (root >> 51)
		return -E2BIG;
	tables = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = dump_keep_mapping(dump, tables, 2 * PAGE_BYTES);
	if (r == 0)
		r = dump_add_piece(dump, root, (const uint8_t *)tables,
		                   2 * PAGE_BYTES, 0);
	if (r == 0)
		r = dump_use(dump, 0);
	if (r < 0)
		return r;
	tables[0] = (root + PAGE_BYTES) | PRESENT | WRITABLE;
	for (uint64_t i = 0; i < 512; i++)
		tables[512 + i] = i << 30 | PRESENT | WRITABLE | LARGE;
	*ret_root = root;
	return 0;
}
