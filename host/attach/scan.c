/* SPDX-License-Identifier: MIT */
/*
 * Looks at the first bytes of each page that is there. One that is not would
 * become there by being looked at, or would wait for who serves it.
 */
#include "host/memory/process.h"

#include <guesttrace/attach.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES    4096
/* Pages whose presence is asked for at once: 128 MiB of memory. */
#define PAGES_AT_ONCE 32768u
/* To which VMMs align RAM, in a mapping that may hold more. */
#define RAM_ALIGN     (UINT64_C(2) << 20)
/* UIO_MAXIOV */
#define LOOKS_AT_ONCE 1024u
/* Documentation/admin-guide/mm/pagemap.rst: present, or swapped out. */
#define PAGE_IS_THERE (UINT64_C(3) << 62)

/* ---- Which pages are there -------------------------------------------------
 */

struct presence {
	const struct gt_mapping *mapping;
	int pagemap;       /* of a process; -1: of a file */
	uint64_t *entries; /* PAGES_AT_ONCE of them */
	int (*range)(void *context, uint64_t offset, uint64_t bytes);
	void *context;
};

/* lseek(2), SEEK_DATA: holes of a file are pages that are not there. */
static int ask_file(const struct presence *presence, off_t begin, size_t pages)
{
	int fd = presence->mapping->fd;
	off_t end = begin + (off_t)pages * PAGE_BYTES;

	memset(presence->entries, 0, pages * 8);
	for (off_t data = begin, hole; data < end; data = hole) {
		data = lseek(fd, data, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		for (off_t at = data; at < hole && at < end; at += PAGE_BYTES)
			presence->entries[(at - begin) / PAGE_BYTES] =
				PAGE_IS_THERE;
	}
	return 0;
}

/* Whether the pages from there on are there: 0, or why that cannot be told. */
static int ask(const struct presence *presence, uint64_t offset, size_t pages)
{
	const struct gt_mapping *mapping = presence->mapping;
	off_t at = (off_t)((mapping->address + offset) / PAGE_BYTES * 8);
	ssize_t got;

	if (presence->pagemap < 0)
		return ask_file(presence,
		                (off_t)(mapping->file_offset + offset), pages);
	got = pread(presence->pagemap, presence->entries, pages * 8, at);
	if (got < 0)
		return -errno;
	memset((char *)presence->entries + got, 0, pages * 8 - (size_t)got);
	return 0;
}

static int tell_part(const struct presence *presence, uint64_t offset,
                     size_t pages)
{
	int r = ask(presence, offset, pages);
	size_t begin = 0;

	while (r == 0 && begin < pages) {
		size_t end = begin;

		while (end < pages && presence->entries[end] & PAGE_IS_THERE)
			end++;
		if (end > begin)
			r = presence->range(presence->context,
			                    offset + begin * PAGE_BYTES,
			                    (end - begin) * PAGE_BYTES);
		begin = end + 1;
	}
	return r;
}

static int tell_all(const struct presence *presence)
{
	uint64_t bytes = presence->mapping->bytes;
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < bytes;
	     at += PAGES_AT_ONCE * PAGE_BYTES) {
		uint64_t pages = (bytes - at) / PAGE_BYTES;

		r = tell_part(presence, at,
		              pages < PAGES_AT_ONCE ? (size_t)pages
		                                    : PAGES_AT_ONCE);
	}
	return r;
}

int gt_process_present(const struct gt_mapping *mapping,
                       int (*range)(void *context, uint64_t offset,
                                    uint64_t bytes),
                       void *context)
{
	struct presence presence = {mapping, -1, NULL, range, context};
	char path[40];
	int r = 0;

	if (mapping->fd < 0) {
		snprintf(path, sizeof(path), "/proc/%" PRId32 "/pagemap",
		         mapping->pid);
		presence.pagemap = open(path, O_RDONLY | O_CLOEXEC);
		if (presence.pagemap < 0)
			return -errno;
	}
	presence.entries = malloc(PAGES_AT_ONCE * sizeof(uint64_t));
	r = presence.entries ? tell_all(&presence) : -ENOMEM;
	free(presence.entries);
	if (presence.pagemap >= 0)
		close(presence.pagemap);
	return r;
}

/* ---- Which of them a control block begins ----------------------------------
 */

struct scan {
	const struct gt_mapping *mapping;
	int (*found)(void *context, const struct gt_found_control *control);
	void *context;
	void (*progress)(void *context, uint64_t bytes, uint64_t of);
	uint64_t before, of;
	/* What is to be looked at. */
	uint64_t addresses[LOOKS_AT_ONCE];
	struct iovec theirs[LOOKS_AT_ONCE];
	uint64_t words[LOOKS_AT_ONCE]; /* what is there */
	size_t count;
};

/* All of it that is there: its page is. */
static int look_closer(const struct gt_mapping *mapping, uint64_t address,
                       int (*tell)(void *context,
                                   const struct gt_found_control *control),
                       void *context)
{
	struct gt_found_control found = {.mapping = mapping,
	                                 .address = address};

	if (gt__process_read(mapping->pid, address, &found.control,
	                     sizeof(found.control)) < 0 ||
	    found.control.magic != GT_CONTROL_MAGIC)
		return 0;
	if (found.control.size < sizeof(found.control))
		memset((char *)&found.control + found.control.size, 0,
		       sizeof(found.control) - found.control.size);
	return tell(context, &found);
}

int gt_process_look_at(const struct gt_mapping *mappings, size_t count,
                       uint64_t gpa,
                       int (*found)(void *context,
                                    const struct gt_found_control *control),
                       void *context)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct gt_mapping *mapping = &mappings[i];
		uint64_t aligned = (0 - mapping->address) % RAM_ALIGN;

		if (gpa < mapping->bytes)
			r = look_closer(mapping, mapping->address + gpa, found,
			                context);
		if (r == 0 && aligned > 0 && aligned < mapping->bytes &&
		    gpa < mapping->bytes - aligned)
			r = look_closer(mapping,
			                mapping->address + aligned + gpa, found,
			                context);
	}
	return r;
}

/* One word of each page; one that has gone meanwhile is left out. */
static int look(struct scan *scan)
{
	uint64_t *words = scan->words;
	struct iovec *theirs = scan->theirs;
	size_t done = 0;
	int r = 0;

	for (size_t i = 0; i < scan->count; i++)
		theirs[i] = (struct iovec){gt__there(scan->addresses[i]), 8};
	while (r == 0 && done < scan->count) {
		struct iovec ours = {words + done, 8 * (scan->count - done)};
		ssize_t got =
			process_vm_readv(scan->mapping->pid, &ours, 1,
		                         theirs + done, scan->count - done, 0);
		size_t end = done + (got > 0 ? (size_t)got / 8 : 0);

		if (got < 0 && errno != EFAULT)
			return -errno;
		for (; r == 0 && done < end; done++)
			if (words[done] == GT_CONTROL_MAGIC)
				r = look_closer(scan->mapping,
				                scan->addresses[done],
				                scan->found, scan->context);
		if (got <= 0 || end < scan->count)
			done++;
	}
	scan->count = 0;
	return r;
}

static int note(void *context, uint64_t offset, uint64_t bytes)
{
	struct scan *scan = context;
	int r = 0;

	if (scan->progress)
		scan->progress(scan->context, scan->before + offset, scan->of);
	for (uint64_t at = 0; r == 0 && at < bytes; at += PAGE_BYTES) {
		scan->addresses[scan->count++] =
			scan->mapping->address + offset + at;
		if (scan->count == LOOKS_AT_ONCE)
			r = look(scan);
	}
	return r;
}

int gt_process_scan(const struct gt_mapping *mappings, size_t count,
                    int (*found)(void *context,
                                 const struct gt_found_control *control),
                    void *context,
                    void (*progress)(void *context, uint64_t bytes,
                                     uint64_t of))
{
	struct scan *scan = calloc(1, sizeof(*scan));
	int r = scan ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	scan->found = found;
	scan->context = context;
	scan->progress = progress;
	for (size_t i = 0; i < count; i++)
		scan->of += mappings[i].bytes;
	for (size_t i = 0; r == 0 && i < count; i++) {
		scan->mapping = &mappings[i];
		r = gt_process_present(scan->mapping, note, scan);
		if (r == 0)
			r = look(scan);
		scan->before += mappings[i].bytes;
	}
	free(scan);
	return r;
}
