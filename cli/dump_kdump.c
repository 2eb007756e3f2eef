/* SPDX-License-Identifier: MIT */
/*
 * Compressed kdumps, by libkdumpfile. It is loaded where it is needed: with
 * what it is linked to it would make each start of any command take 2 ms more.
 */
#include "dump.h"
#include "command.h"
#include "streams.h"

#include <errno.h>
#include <string.h>

#define REMEDY                                                      \
	"make an ELF core of it (makedumpfile -E), or dump as one " \
	"(dump-guest-memory without -z, virsh dump --memory-only "  \
	"--format elf)"

static const char kdump_magic[] = "KDUMP   ";
static const char flat_magic[] = "makedumpfile";

static bool begins(const uint8_t *bytes, size_t count, const char *magic)
{
	return count >= strlen(magic) &&
	       memcmp(bytes, magic, strlen(magic)) == 0;
}

bool dump_is_kdump(const uint8_t *bytes, size_t count)
{
	return begins(bytes, count, kdump_magic) ||
	       begins(bytes, count, flat_magic);
}

#ifndef GT_KDUMP_LIBRARY

void dump_kdump_load(void)
{
}

int dump_add_kdump(struct dump *dump, const char *path, const uint8_t *bytes,
                   size_t count)
{
	(void)dump;
	(void)bytes;
	(void)count;
	complain("%s: a compressed kdump, and this command was built without "
	         "libkdumpfile: " REMEDY,
	         path);
	return -ENOTSUP;
}

#else

#include <dlfcn.h>
#include <endian.h>
#include <libkdumpfile/kdumpfile.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)

/* ---- The library --------------------------------------------------------- */

/* Each name of it once. */
#define EACH(f)                                                                \
	f(kdump_new) f(kdump_read) f(kdump_open_fdset) f(kdump_get_typed_attr) \
		f(kdump_bmp_find_set) f(kdump_bmp_find_clear)

static struct {
	void *handle; /* NULL: not there */
#define MEMBER(name) __typeof__(&name) name;
	EACH(MEMBER)
} library;

void dump_kdump_load(void)
{
	void *handle = dlopen(GT_KDUMP_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return;
#define FIND(name)                                        \
	*(void **)(&library.name) = dlsym(handle, #name); \
	if (!library.name)                                \
		return;
	EACH(FIND)
	library.handle = handle;
}

/* ---- Flattened files ----------------------------------------------------- */

/*
 * makedumpfile, IMPLEMENTATION: a page of header, then pieces of the file in
 * any order, each with where it belongs and how long it is, in 64 bits of big
 * endian, until one belongs at -1.
 */
#define FLAT_HEAD        16u

static uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return be64toh(word);
}

static int put(int fd, uint64_t at, const uint8_t *bytes, size_t count)
{
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return -errno;
	return write_whole(fd, false, bytes, count);
}

/* A piece beyond what all of them together could fill is none. */
static int unfold(int fd, const uint8_t *bytes, size_t count,
                  uint64_t *ret_count)
{
	uint64_t limit = 2 * count, end = 0;
	int r = 0;

	for (size_t at = PAGE_BYTES; r == 0;) {
		uint64_t where, length;

		if (count < at || count - at < FLAT_HEAD)
			return -EINVAL;
		where = load_be64(bytes + at);
		length = load_be64(bytes + at + 8);
		at += FLAT_HEAD;
		if (where == UINT64_MAX)
			break;
		if (length > count - at || where > limit)
			return -EINVAL;
		r = put(fd, where, bytes + at, length);
		at += length;
		end = where + length > end ? where + length : end;
	}
	*ret_count = end;
	return r;
}

/* ---- Registers ----------------------------------------------------------- */

/* Linux, kdump's sub header of 64 bits, behind one block: where notes are. */
#define NOTES_AT         (PAGE_BYTES + 48)
#define NOTES_BYTES      (PAGE_BYTES + 56)

static int add_notes(struct dump *dump, const uint8_t *bytes, uint64_t count)
{
	uint64_t at, length;

	if (count < NOTES_BYTES + 8)
		return 0;
	memcpy(&at, bytes + NOTES_AT, sizeof(at));
	memcpy(&length, bytes + NOTES_BYTES, sizeof(length));
	return at > count || length > count - at
	               ? 0
	               : dump_add_notes(dump, bytes + at, length);
}

/* ---- Pages --------------------------------------------------------------- */

/* Each page of memory has so many bytes of its own in the file. */
#define DESCRIPTOR_BYTES 24u

/* And they are no more compressed than this, but for zeros: what all pages of
 * one byte would need to be is no guest's. */
#define RATIO_MAX        32u
#define EXPANDED_MIN     (UINT64_C(64) << 20)

struct expansion {
	struct dump *dump;
	kdump_ctx_t *context;
	uint8_t *pages; /* the dump's, one more than there are */
	uint64_t count, done;
	uint64_t room; /* of pages that are not zeros */
	/* A run of pages that could be read. */
	uint64_t first, run;
};

static int end_run(struct expansion *e)
{
	uint64_t run = e->run;

	e->run = 0;
	return run == 0
	               ? 0
	               : dump_add_piece(e->dump, e->first * PAGE_BYTES,
	                                e->pages + (e->done - run) * PAGE_BYTES,
	                                run * PAGE_BYTES, 0);
}

static bool is_blank(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* Zeros take no memory; a page that cannot be read is missing. */
static int add_page(struct expansion *e, uint64_t number)
{
	uint8_t *scratch = e->pages + e->count * PAGE_BYTES;
	size_t got = PAGE_BYTES;

	if (library.kdump_read(e->context, KDUMP_MACHPHYSADDR,
	                       number * PAGE_BYTES, scratch, &got) != KDUMP_OK)
		return end_run(e);
	if (!is_blank(scratch)) {
		if (e->room-- == 0)
			return -EFBIG;
		memcpy(e->pages + e->done * PAGE_BYTES, scratch, PAGE_BYTES);
	}
	if (e->run++ == 0)
		e->first = number;
	e->done++;
	return 0;
}

/* The next pages that are there, from *first on; false: no more. */
static bool next_run(kdump_bmp_t *map, kdump_addr_t *first, kdump_addr_t *end)
{
	if (library.kdump_bmp_find_set(map, first) != KDUMP_OK)
		return false;
	*end = *first;
	return library.kdump_bmp_find_clear(map, end) == KDUMP_OK &&
	       *end > *first;
}

static uint64_t count_pages(kdump_bmp_t *map)
{
	uint64_t pages = 0;

	for (kdump_addr_t at = 0, end; next_run(map, &at, &end); at = end) {
		if (end - at > UINT64_MAX - pages)
			return UINT64_MAX;
		pages += end - at;
	}
	return pages;
}

static int expand(struct dump *dump, kdump_ctx_t *context, uint64_t file_bytes)
{
	kdump_attr_t map = {.type = KDUMP_BITMAP};
	kdump_attr_t size = {.type = KDUMP_NUMBER};
	struct expansion e = {.dump = dump, .context = context};
	int r;

	if (library.kdump_get_typed_attr(context, KDUMP_ATTR_FILE_PAGEMAP,
	                                 &map) != KDUMP_OK ||
	    library.kdump_get_typed_attr(context, KDUMP_ATTR_PAGE_SIZE,
	                                 &size) != KDUMP_OK ||
	    size.val.number != PAGE_BYTES)
		return -EINVAL;
	e.count = count_pages(map.val.bitmap);
	e.room = (RATIO_MAX * file_bytes + EXPANDED_MIN) / PAGE_BYTES;
	if (e.count == 0 || e.count > file_bytes / DESCRIPTOR_BYTES)
		return -EINVAL;
	e.pages = mmap(NULL, (e.count + 1) * PAGE_BYTES, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	r = dump_keep_mapping(dump, e.pages, (e.count + 1) * PAGE_BYTES);
	for (kdump_addr_t at = 0, end;
	     r == 0 && next_run(map.val.bitmap, &at, &end); at = end) {
		for (; r == 0 && at < end; at++)
			r = add_page(&e, at);
		if (r == 0)
			r = end_run(&e);
	}
	return r;
}

/* ---- The file ------------------------------------------------------------ */

/*
 * As the library wants it: whole, by a file descriptor. Its kdump_free() reads
 * what it has freed before (0.5.1), so the context stays for as long as the
 * command does.
 */
static int add_whole(struct dump *dump, int fd, uint64_t count)
{
	void *bytes = mmap(NULL, count, PROT_READ, MAP_PRIVATE, fd, 0);
	static kdump_ctx_t *context;
	int r = -EINVAL;

	if (bytes == MAP_FAILED)
		return -errno;
	context = library.kdump_new();
	if (!context)
		r = -ENOMEM;
	else if (library.kdump_open_fdset(context, 1, &fd) == KDUMP_OK)
		r = expand(dump, context, count);
	if (r == 0)
		r = add_notes(dump, bytes, count);
	munmap(bytes, count);
	return r;
}

static int add_copy(struct dump *dump, const uint8_t *bytes, size_t count)
{
	int fd = memfd_create("kdump", MFD_CLOEXEC), r;
	uint64_t length = count;

	if (fd < 0)
		return -errno;
	r = begins(bytes, count, flat_magic) ? unfold(fd, bytes, count, &length)
	                                     : put(fd, 0, bytes, count);
	if (r == 0)
		r = length ? add_whole(dump, fd, length) : -EINVAL;
	close(fd);
	return r;
}

int dump_add_kdump(struct dump *dump, const char *path, const uint8_t *bytes,
                   size_t count)
{
	int r;

	if (!library.handle) {
		complain("%s: a compressed kdump, which is read by %s, and "
		         "that is not installed: install it, or " REMEDY,
		         path, GT_KDUMP_LIBRARY);
		return -ENOTSUP;
	}
	r = add_copy(dump, bytes, count);
	if (r == -EINVAL)
		complain("%s: a compressed kdump that is damaged or cut off, "
		         "or of no x86",
		         path);
	else if (r == -EFBIG)
		complain("%s: a compressed kdump that says more than %u times "
		         "as much as it holds",
		         path, RATIO_MAX);
	return r == -EINVAL || r == -EFBIG ? -ENOTSUP : r;
}

#endif
