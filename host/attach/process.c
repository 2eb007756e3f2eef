/* SPDX-License-Identifier: MIT */
/* Memory of another process: proc(5), process_vm_readv(2). */
#include "host/memory/process.h"

#include <guesttrace/attach.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAPPING_BYTES_MIN (UINT64_C(1) << 20)
#define MAPPING_BYTES_MAX (UINT64_C(4) << 40) /* a sanitizer's are larger */

/* ---- Copying ------------------------------------------------------------- */

static int process_read(void *host, uint64_t offset, void *to, size_t count)
{
	const struct gt_process_memory *memory = host;

	return gt__process_read(memory->pid, memory->address + offset, to,
	                        count);
}

static int process_write(void *host, uint64_t offset, const void *from,
                         size_t count)
{
	const struct gt_process_memory *memory = host;

	return gt__process_write(memory->pid, memory->address + offset, from,
	                         count);
}

static int process_read_words(void *host, const uint64_t *offsets,
                              uint64_t *words, size_t count)
{
	const struct gt_process_memory *memory = host;

	return gt__process_read_words(memory->pid, memory->address, offsets,
	                              words, count);
}

const struct gt_memory_access gt_memory_of_process = {
	process_read, process_write, process_read_words};

/* ---- Mappings ------------------------------------------------------------ */

/* proc(5), "/proc/pid/maps": its code, ROMs and libraries are no RAM. */
static bool parse(const char *line, struct gt_mapping *ret_mapping)
{
	uint64_t begin, end;
	char flags[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, flags) !=
	            3 ||
	    end <= begin || end - begin < MAPPING_BYTES_MIN ||
	    end - begin > MAPPING_BYTES_MAX)
		return false;
	if (flags[0] != 'r' || flags[1] != 'w' || flags[2] == 'x' ||
	    strstr(line, "[stack") || strstr(line, "[heap]"))
		return false;
	ret_mapping->address = begin;
	ret_mapping->bytes = end - begin;
	ret_mapping->fd = -1;
	ret_mapping->file_offset = 0;
	return true;
}

int gt_process_mappings(int32_t pid, struct gt_mapping *mappings, size_t room)
{
	char path[32], line[512];
	size_t count = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%" PRId32 "/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return errno == ENOENT ? -ESRCH : -errno;
	while (count < room && fgets(line, sizeof(line), maps)) {
		struct gt_mapping mapping = {.pid = pid};

		/* The rest of a long path. */
		while (!strchr(line, '\n')) {
			char rest[512];

			if (!fgets(rest, sizeof(rest), maps) ||
			    strchr(rest, '\n'))
				break;
		}
		if (parse(line, &mapping))
			mappings[count++] = mapping;
	}
	fclose(maps);
	return (int)count;
}
