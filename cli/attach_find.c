/* SPDX-License-Identifier: MIT */
#include "attach_find.h"
#include "attach_layout.h"
#include "attach_search.h"
#include "command.h"
#include "elf_sites.h"
#include "memory_part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)
/* As many pages may look like a control block: a guest can make all of its do. */
#define LOOKS_MAX  65536u

/* ---- Memory -------------------------------------------------------------- */

static int complain_of(int32_t pid, int r)
{
	if (r == -EACCES || r == -EPERM)
		complain("process %" PRId32 ": its memory may not be read: "
		         "that needs root, CAP_SYS_PTRACE, or its own user "
		         "where kernel.yama.ptrace_scope is 0",
		         pid);
	else
		complain("process %" PRId32 ": %s", pid, code_text(r));
	return r;
}

int attach_memory_of(struct attach_memory *memory, int32_t pid)
{
	int r = gt_process_mappings(pid, memory->mappings, ATTACH_MAPPINGS_MAX);

	if (r < 0)
		return complain_of(pid, r);
	memory->pid = pid;
	memory->count = (size_t)r;
	return 0;
}

/* All of it is there, and in whole pages. */
static int complete(struct memory_part *part, int fd)
{
	struct stat info;
	uint64_t bytes;

	if (fstat(fd, &info) < 0)
		return -errno;
	bytes = (uint64_t)info.st_size;
	if (part->offset % PAGE_BYTES || part->gpa % PAGE_BYTES)
		return -EINVAL;
	if (part->offset >= bytes)
		return -ERANGE;
	if (part->numbers < 3)
		part->length = (bytes - part->offset) & ~(PAGE_BYTES - 1);
	if (part->length == 0 || part->length % PAGE_BYTES)
		return -EINVAL;
	return part->length > bytes - part->offset ? -ERANGE : 0;
}

static int map(struct attach_memory *memory, int fd,
               const struct memory_part *part)
{
	struct gt_mapping *mapping = &memory->mappings[memory->count];
	void *at = mmap(NULL, part->length, PROT_READ | PROT_WRITE, MAP_SHARED,
	                fd, (off_t)part->offset);

	if (at == MAP_FAILED)
		return -errno;
	*mapping = (struct gt_mapping){
		.pid = getpid(),
		.address = (uintptr_t)at,
		.bytes = part->length,
		.fd = fd,
		.file_offset = part->offset,
	};
	memory->gpas[memory->count++] = part->gpa;
	return 0;
}

static int add(struct attach_memory *memory, struct memory_part *part)
{
	int fd, r;

	if (memory->count == GT_MEMORY_SLOTS_MAX)
		return -E2BIG;
	fd = open(part->path, O_RDWR | O_CLOEXEC);
	r = fd < 0 ? -errno : complete(part, fd);
	if (r == 0)
		r = map(memory, fd, part);
	if (r < 0 && fd >= 0)
		close(fd);
	return r;
}

int attach_memory_add(struct attach_memory *memory, const char *text)
{
	struct memory_part part;
	int r = memory_part_parse(text, &part) ? add(memory, &part) : -ENOMEM;

	if (r == -E2BIG)
		complain("%s: more than %u pieces of memory", text,
		         GT_MEMORY_SLOTS_MAX);
	else if (r == -EINVAL)
		complain("%s: not whole pages of 4 KiB", text);
	else if (r == -ERANGE)
		complain("%s: the file ends before that", text);
	else if (r < 0)
		complain("%s: %s", text, code_text(r));
	free(part.path);
	return r;
}

int attach_memory_image(struct attach_memory *memory, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno
	               : elf_symbol(fd, "gt_control", &memory->image_gpa);

	if (fd >= 0)
		close(fd);
	if (r == -ENOENT)
		complain("%s: it has no symbol 'gt_control'", path);
	else if (r < 0)
		complain("%s: %s", path,
		         r == -ENOEXEC ? "no ELF file" : code_text(r));
	return r;
}

void attach_memory_close(struct attach_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		if (memory->mappings[i].fd < 0)
			continue;
		munmap((void *)(uintptr_t)memory->mappings[i].address,
		       memory->mappings[i].bytes);
		close(memory->mappings[i].fd);
	}
	free(memory->guests);
	memory->guests = NULL;
	memory->count = memory->guest_count = 0;
}

/* ---- Finding ------------------------------------------------------------- */

/* The page that an image names is looked at once more by the scan. */
static bool is_known(const struct attach_memory *memory, uint64_t address)
{
	for (size_t i = 0; i < memory->guest_count; i++)
		if (memory->guests[i].found.address == address)
			return true;
	for (size_t i = 0; i < memory->silent_count; i++)
		if (memory->silent[i].address == address)
			return true;
	return false;
}

/* All layouts are tried for as many as are kept, and the known ones for others:
 * what that takes grows with the memory, for each of them. */
static bool solve(const struct attach_memory *memory,
                  const struct gt_found_control *found,
                  struct gt_layout *ret_layout)
{
	if (memory->silent_count < ATTACH_GUESTS_MAX)
		return gt_layout_solve(memory->mappings, memory->count, found,
		                       ret_layout) == 0;
	if (memory->guest_count == 0)
		return false;
	attach_layout_copy(ret_layout, &memory->guests[0].layout);
	return gt_layout_check(ret_layout, found) == 0;
}

/* Whether the tables that `found` names are right, and under which layout. */
static bool lay_out(const struct attach_memory *memory,
                    const struct gt_found_control *found,
                    struct attach_guest *guest)
{
	guest->is_laid_out_by_qmp = false;
	if (found->control.root == 0)
		return false;
	if (memory->pid == 0) {
		attach_layout_of_files(memory, &guest->layout);
		return !memory->qmp.path ||
		       gt_layout_check(&guest->layout, found) == 0;
	}
	guest->is_laid_out_by_qmp =
		attach_layout_of_qmp(memory, &guest->layout) &&
		gt_layout_check(&guest->layout, found) == 0;
	return guest->is_laid_out_by_qmp ||
	       solve(memory, found, &guest->layout);
}

/* The guest's own word, or else QEMU's. */
static bool know_tables(const struct attach_memory *memory,
                        struct attach_guest *guest)
{
	struct gt_found_control named = guest->found;

	guest->from = ATTACH_ROOT_GUEST;
	if (!lay_out(memory, &named, guest)) {
		guest->from = ATTACH_ROOT_QMP;
		named.control.root = memory->qmp.root;
		if (!lay_out(memory, &named, guest))
			return false;
	}
	guest->root = named.control.root;
	return true;
}

static int take_control(void *context, const struct gt_found_control *found)
{
	struct attach_memory *memory = context;
	struct attach_guest *guest;

	if (is_known(memory, found->address))
		return 0;
	if (memory->guest_count == ATTACH_GUESTS_MAX)
		return 1;
	if (memory->looks++ == LOOKS_MAX) {
		complain("more than %u pages look like a control block: the "
		         "rest is not looked at; --image names the right one",
		         LOOKS_MAX);
		return 1;
	}
	guest = &memory->guests[memory->guest_count];
	*guest = (struct attach_guest){.found = *found};
	gt_owner_read(&found->control, sizeof(found->control), &guest->owner);
	if (!know_tables(memory, guest)) {
		if (memory->silent_count < ATTACH_GUESTS_MAX)
			memory->silent[memory->silent_count++] = *found;
		return 0;
	}
	guest->control_gva = found->control.self_gva;
	guest->control_gpa = attach_layout_gpa(&guest->layout, found->address);
	memory->guest_count++;
	return 0;
}

int attach_find(struct attach_memory *memory,
                void (*progress)(void *context, uint64_t bytes, uint64_t of))
{
	int r;

	if (!memory->guests)
		memory->guests =
			calloc(ATTACH_GUESTS_MAX, sizeof(*memory->guests));
	if (!memory->guests)
		return -ENOMEM;
	memory->guest_count = memory->silent_count = 0;
	memory->looks = 0;
	if (memory->pid != 0) {
		r = gt_process_mappings(memory->pid, memory->mappings,
		                        ATTACH_MAPPINGS_MAX);
		if (r < 0)
			return r;
		memory->count = (size_t)r;
	}
	/* Other tables may be in use by now; whom it does not answer has ended.
	 */
	if (memory->qmp.path && attach_qmp_ask(&memory->qmp) < 0)
		memory->qmp.root = 0;
	if (memory->image_gpa)
		gt_process_look_at(memory->mappings, memory->count,
		                   memory->image_gpa, take_control, memory);
	r = gt_process_scan(memory->mappings, memory->count, take_control,
	                    memory, progress);
	if (r >= 0 && memory->silent_count > 0)
		r = attach_search(memory, memory->silent, memory->silent_count);
	return r < 0 ? r : 0;
}
