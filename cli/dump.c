/* SPDX-License-Identifier: MIT */
/* What --memory says, and which kind of file it is. */
#include "dump.h"
#include "command.h"
#include "memory_part.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* PC memory maps leave room for devices below 4 GiB; what would lie there
 * follows from 4 GiB on. Firecracker and cloud-hypervisor: from 3 GiB. */
#define HOLE_GPA  (UINT64_C(3) << 30)
#define ABOVE_GPA (UINT64_C(4) << 30)

static int add_raw(struct dump *dump, const struct memory_part *part)
{
	const uint8_t *bytes = dump->files[dump->file_count - 1].bytes;
	uint64_t count = dump->files[dump->file_count - 1].count;
	int r;

	if (part->offset > count ||
	    (part->numbers == 3 && part->length > count - part->offset))
		return -ERANGE;
	bytes += part->offset;
	count = part->numbers == 3 ? part->length : count - part->offset;
	/* Nobody said where it lay: it may have had a hole. */
	if (part->numbers > 0 || count <= HOLE_GPA || dump->layouts > 0)
		return dump_add_piece(dump, part->gpa, bytes, count, 0);
	r = dump_add_piece(dump, 0, bytes, count, 1);
	if (r == 0)
		r = dump_add_piece(dump, 0, bytes, HOLE_GPA, 2);
	return r < 0 ? r
	             : dump_add_piece(dump, ABOVE_GPA, bytes + HOLE_GPA,
	                              count - HOLE_GPA, 2);
}

static int add_mapped(struct dump *dump, const struct memory_part *part)
{
	const uint8_t *bytes = dump->files[dump->file_count - 1].bytes;
	size_t count = dump->files[dump->file_count - 1].count;
	const char *foreign = part->numbers ? NULL : dump_foreign(bytes, count);

	if (foreign) {
		complain("%s: %s", part->path, foreign);
		return -ENOTSUP;
	}
	if (part->numbers == 0 && dump_is_kdump(bytes, count))
		return dump_add_kdump(dump, part->path, bytes, count);
	if (part->numbers > 0 || count < SELFMAG ||
	    memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return add_raw(dump, part);
	return dump_add_elf(dump, bytes, count);
}

char *dump_path(const char *text)
{
	struct memory_part part;

	if (memory_part_parse(text, &part))
		return part.path;
	complain("%s: %s", text, code_text(-ENOMEM));
	return NULL;
}

static void explain(const char *text, int r)
{
	if (r == -EEXIST)
		complain("%s: memory that another file has as well", text);
	else if (r == -EINVAL)
		complain("%s: neither memory at a page's address nor a core",
		         text);
	else if (r == -ERANGE)
		complain("%s: the file ends before that", text);
	else if (r == -ENXIO)
		complain("%s: the core of a process that had no guest which "
		         "records, or whose memory is not in it",
		         text);
	else if (r == -E2BIG)
		complain("%s: more than %u files of memory", text,
		         DUMP_FILES_MAX);
	else if (r != -ENOTSUP)
		complain("%s: %s", text, code_text(r));
}

int dump_add(struct dump *dump, const char *text)
{
	struct stat info;
	struct memory_part part;
	int r = -ENOMEM;

	if (memory_part_parse(text, &part)) {
		if (part.numbers == 0 && stat(part.path, &info) == 0 &&
		    S_ISDIR(info.st_mode)) {
			r = dump_add_directory(dump, part.path);
		} else {
			r = dump_map_file(dump, part.path);
			if (r == 0)
				r = add_mapped(dump, &part);
		}
		free(part.path);
	}
	if (r == 0)
		r = dump_use(dump, 0);
	if (r < 0)
		explain(text, r);
	return r;
}
