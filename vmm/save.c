/* SPDX-License-Identifier: MIT */
/*
 * A VM into a file and back. The file, little-endian: struct head; the
 * mappings; per vCPU a struct saved_vcpu and the backend's state; each page of
 * RAM that is not zero, after its address, in ascending order; CRC-32 of all
 * after the head.
 *
 * A file may be hostile. Its head says how long everything is, and has to say
 * what this VM is; what it says beyond that is checked where it is used.
 */
#include "vm_internal.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#define MAGIC    UINT64_C(0x31706e736d767467) /* "gtvmsnp1" */
#define VERSION  2u
#define RUNS_MAX 65536u

struct head {
	uint64_t magic;
	uint32_t version, vcpus;
	char backend[16];
	uint64_t state_bytes; /* of each vCPU */
	uint64_t ram_bytes;
	uint64_t root_gpa;
	uint64_t runs, pages;
	uint32_t reserved;
	uint32_t crc; /* of all before it */
};

struct saved_run {
	uint64_t gva, gpa, bytes, prot;
};

struct saved_vcpu {
	uint64_t tsc; /* the guest's, at one moment for all */
	uint64_t exits, ignored;
	uint64_t cr0, cr3, cr4, efer; /* of its entry, and of its last exit */
	uint64_t last_cr0, last_cr3, last_cr4, last_efer;
	uint32_t halted, abort_bytes, line_bytes, reserved;
	struct vm__timer_state timer;
	unsigned char abort[GT_ABORT_BYTES_MAX];
	char line[VM__LINE_BYTES];
};

/* Sticks to its first error: a negative errno code. */
struct stream {
	FILE *file;
	uint32_t crc;
	int error;
};

static uint32_t crc_of(uint32_t so_far, const void *bytes, size_t n)
{
	return libdeflate_crc32(so_far, bytes, n);
}

static bool all_zero(const unsigned char *page)
{
	static const unsigned char zero[VM__PAGE_BYTES];

	return memcmp(page, zero, sizeof zero) == 0;
}

/* ---- Saving -------------------------------------------------------------- */

static void put(struct stream *to, const void *bytes, size_t n)
{
	errno = 0;
	if (to->error == 0 && fwrite(bytes, 1, n, to->file) != n)
		to->error = errno ? -errno : -EIO;
	to->crc = crc_of(to->crc, bytes, n);
}

static uint64_t count_pages(const struct vm *vm)
{
	uint64_t pages = 0;

	for (uint64_t at = 0; at < vm->space.ram_bytes; at += VM__PAGE_BYTES)
		pages += !all_zero(vm->space.ram + at);
	return pages;
}

static void put_head(struct vm *vm, struct stream *to)
{
	struct head head = {
		.magic = MAGIC,
		.version = VERSION,
		.vcpus = vm->options.vcpus,
		.state_bytes = vm->backend->state_bytes,
		.ram_bytes = vm->space.ram_bytes,
		.root_gpa = vm->space.root,
		.runs = vm->run_count,
		.pages = count_pages(vm),
	};

	strncpy(head.backend, vm->backend->name, sizeof head.backend - 1);
	head.crc = crc_of(0, &head, offsetof(struct head, crc));
	put(to, &head, sizeof head);
	to->crc = 0;
	for (size_t i = 0; i < vm->run_count; i++) {
		const struct vm__run *run = &vm->runs[i];
		struct saved_run saved = {run->gva, run->gpa, run->bytes,
		                          run->prot};

		put(to, &saved, sizeof saved);
	}
}

static int put_vcpu(struct vm__vcpu *vcpu, uint64_t host_tsc, struct stream *to)
{
	struct vm *vm = vcpu->vm;
	struct saved_vcpu saved = {
		.exits = vcpu->exits,
		.ignored = vcpu->ignored,
		.cr0 = vcpu->entry.cr0,
		.cr3 = vcpu->entry.cr3,
		.cr4 = vcpu->entry.cr4,
		.efer = vcpu->entry.efer,
		.last_cr0 = vcpu->last.cr0,
		.last_cr3 = vcpu->last.cr3,
		.last_cr4 = vcpu->last.cr4,
		.last_efer = vcpu->last.efer,
		.halted = vcpu->halted,
		.abort_bytes = (uint32_t)vcpu->abort.n,
		.line_bytes = (uint32_t)vcpu->line_n,
		.timer = vm__timer_save(&vcpu->timer),
	};
	int64_t offset;
	uint64_t khz;
	void *state;
	int result = vm->backend->tsc(vcpu, &offset, &khz);

	if (result < 0)
		return result;
	saved.tsc = host_tsc + (uint64_t)offset;
	memcpy(saved.abort, vcpu->abort.bytes, vcpu->abort.n);
	memcpy(saved.line, vcpu->line, vcpu->line_n);
	put(to, &saved, sizeof saved);
	state = calloc(1, vm->backend->state_bytes);
	if (!state)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	result = vm->backend->save(vcpu, state);
	if (result == 0)
		put(to, state, vm->backend->state_bytes);
	free(state);
	return result;
}

static void put_pages(struct vm *vm, struct stream *to)
{
	for (uint64_t at = 0; at < vm->space.ram_bytes; at += VM__PAGE_BYTES) {
		const unsigned char *page = vm->space.ram + at;

		if (all_zero(page))
			continue;
		put(to, &at, sizeof at);
		put(to, page, VM__PAGE_BYTES);
	}
}

static FILE *open_copy(struct vm *vm, int fd, const char *mode)
{
	int copy = dup(fd);
	FILE *file = copy < 0 ? NULL : fdopen(copy, mode);

	if (!file) {
		vm__fail(vm->error, 0, "snapshot: %s", strerror(errno));
		if (copy >= 0)
			close(copy);
	}
	return file;
}

int vm_save(struct vm *vm, int fd)
{
	struct stream to = {0};
	uint64_t host_tsc = __rdtsc();
	int result = 0;

	if (!vm->booted || vm->over)
		return vm__fail(vm->error, -EINVAL,
		                "nothing to save: not booted, or at its end");
	to.file = open_copy(vm, fd, "wb");
	if (!to.file)
		return -errno;
	put_head(vm, &to);
	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++)
		result = put_vcpu(&vm->vcpus[i], host_tsc, &to);
	put_pages(vm, &to);
	put(&to, &to.crc, sizeof to.crc);
	if (fclose(to.file) != 0 && to.error == 0)
		to.error = -errno;
	if (result == 0 && to.error < 0)
		result = vm__fail(vm->error, to.error, "snapshot: %s",
		                  strerror(-to.error));
	return result;
}

/* ---- Restoring ----------------------------------------------------------- */

static int bad(struct vm *vm, const char *what)
{
	return vm__fail(vm->error, -EBADMSG, "snapshot: %s", what);
}

static int get(struct vm *vm, struct stream *from, void *bytes, size_t n)
{
	errno = 0;
	if (fread(bytes, 1, n, from->file) != n) {
		if (ferror(from->file) && errno)
			return vm__fail(vm->error, -errno, "snapshot: %s",
			                strerror(errno));
		return bad(vm, "it is truncated");
	}
	from->crc = crc_of(from->crc, bytes, n);
	return 0;
}

static int get_head(struct vm *vm, struct stream *from, struct head *head)
{
	int result = get(vm, from, head, sizeof *head);

	if (result < 0)
		return result;
	if (head->magic != MAGIC || head->version != VERSION)
		return bad(vm, "not one, or of another version");
	if (head->crc != crc_of(0, head, offsetof(struct head, crc)))
		return bad(vm, "its head is damaged");
	if (strncmp(head->backend, vm->backend->name, sizeof head->backend) !=
	            0 ||
	    head->vcpus != vm->options.vcpus ||
	    head->ram_bytes != vm->space.ram_bytes ||
	    head->state_bytes != vm->backend->state_bytes)
		return vm__fail(vm->error, -EINVAL,
		                "snapshot: of %u vCPUs, %llu MiB, on %.15s: "
		                "not as this VM",
		                head->vcpus,
		                (unsigned long long)head->ram_bytes >> 20,
		                head->backend);
	if (head->runs > RUNS_MAX ||
	    head->pages > head->ram_bytes / VM__PAGE_BYTES ||
	    head->root_gpa % VM__PAGE_BYTES != 0 ||
	    head->root_gpa >= head->ram_bytes)
		return bad(vm, "its head is impossible");
	from->crc = 0;
	return 0;
}

static bool is_run(const struct vm *vm, const struct saved_run *run)
{
	uint64_t ram = vm->space.ram_bytes, mask = VM__PAGE_BYTES - 1;

	return ((run->gva | run->gpa | run->bytes) & mask) == 0 &&
	       run->bytes > 0 && run->bytes <= ram &&
	       run->gpa <= ram - run->bytes && run->prot <= 7 &&
	       (run->prot & 6) != (VM__WRITE | VM__EXECUTE) &&
	       run->gva <= VM__RESERVED_END_GVA - run->bytes;
}

static int get_runs(struct vm *vm, struct stream *from, uint64_t n)
{
	struct saved_run saved;
	struct vm__run *runs = calloc(n + 1, sizeof *runs);
	int result = 0;

	if (!runs)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < n && result == 0; i++) {
		result = get(vm, from, &saved, sizeof saved);
		if (result == 0 && !is_run(vm, &saved))
			result = bad(vm, "a mapping is impossible");
		if (result == 0)
			runs[i] = (struct vm__run){saved.gva, saved.gpa,
			                           saved.bytes,
			                           (unsigned)saved.prot};
	}
	if (result < 0) {
		free(runs);
		return result;
	}
	free(vm->runs);
	vm->runs = runs;
	vm->run_count = n;
	return 0;
}

static int get_pages(struct vm *vm, struct stream *from, uint64_t n)
{
	uint64_t next = 0, at;
	int result = vm__space_clear(&vm->space);

	if (result < 0)
		return vm__fail(vm->error, result, "memory: %s",
		                strerror(-result));
	for (uint64_t i = 0; i < n && result == 0; i++, next = at + 1) {
		result = get(vm, from, &at, sizeof at);
		if (result == 0 && (at % VM__PAGE_BYTES != 0 || at < next ||
		                    at >= vm->space.ram_bytes))
			result = bad(vm, "a page has no place");
		if (result == 0)
			result = get(vm, from, vm->space.ram + at,
			             VM__PAGE_BYTES);
		if (result < 0)
			break;
	}
	return result;
}

static int set_vcpu(struct vm__vcpu *vcpu, const unsigned char *record)
{
	struct saved_vcpu saved;

	memcpy(&saved, record, sizeof saved);
	if (saved.abort_bytes > sizeof saved.abort ||
	    saved.line_bytes >= sizeof saved.line || saved.halted > 1 ||
	    !vm__timer_restore(&vcpu->timer, &saved.timer))
		return bad(vcpu->vm, "a vCPU is impossible");
	vcpu->exits = saved.exits;
	vcpu->ignored = saved.ignored;
	vcpu->entry.cr0 = saved.cr0;
	vcpu->entry.cr3 = saved.cr3;
	vcpu->entry.cr4 = saved.cr4;
	vcpu->entry.efer = saved.efer;
	vcpu->last = (struct vm_exit){.cr0 = saved.last_cr0,
	                              .cr3 = saved.last_cr3,
	                              .cr4 = saved.last_cr4,
	                              .efer = saved.last_efer};
	vcpu->halted = saved.halted;
	vcpu->abort.n = saved.abort_bytes;
	vcpu->abort.cut = false;
	memcpy(vcpu->abort.bytes, saved.abort, saved.abort_bytes);
	vcpu->line_n = saved.line_bytes;
	memcpy(vcpu->line, saved.line, saved.line_bytes);
	return vcpu->vm->backend->restore(vcpu, record + sizeof saved);
}

static int resume_tsc(struct vm *vm, const unsigned char *records, size_t step)
{
	uint64_t host_tsc = __rdtsc();
	int result = 0;

	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++) {
		uint64_t tsc;

		memcpy(&tsc, records + i * step, sizeof tsc);
		result = vm_set_tsc(vm, i, (int64_t)(tsc - host_tsc));
	}
	return result;
}

/* All is read and whole: the VM becomes what it was. */
static int set_vcpus(struct vm *vm, enum vm_tsc_after tsc,
                     const unsigned char *records, size_t step)
{
	unsigned halted = 0;
	int result = vm->backend->reset(vm);

	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++) {
		result = set_vcpu(&vm->vcpus[i], records + i * step);
		halted += vm->vcpus[i].halted;
	}
	if (result == 0 && halted == vm->options.vcpus)
		result = bad(vm, "all vCPUs have halted");
	if (result == 0 && tsc == VM_TSC_RESUMES)
		result = resume_tsc(vm, records, step);
	atomic_store(&vm->halted, halted);
	return result;
}

static int get_rest(struct vm *vm, struct stream *from, const struct head *head,
                    enum vm_tsc_after tsc)
{
	size_t step = sizeof(struct saved_vcpu) + vm->backend->state_bytes;
	unsigned char *records = calloc(vm->options.vcpus, step);
	uint32_t crc, crc_there;
	int result;

	if (!records)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	result = get_runs(vm, from, head->runs);
	if (result == 0)
		result = get(vm, from, records, vm->options.vcpus * step);
	if (result == 0)
		result = get_pages(vm, from, head->pages);
	crc = from->crc;
	if (result == 0)
		result = get(vm, from, &crc_there, sizeof crc_there);
	if (result == 0 && crc != crc_there)
		result = bad(vm, "it is damaged");
	vm->space.root = head->root_gpa;
	if (result == 0)
		result = set_vcpus(vm, tsc, records, step);
	free(records);
	return result;
}

int vm_restore(struct vm *vm, int fd, enum vm_tsc_after tsc)
{
	struct stream from = {0};
	struct head head;
	int result;

	if (tsc == VM_TSC_RESUMES && !vm->backend->set_tsc)
		return vm__fail(vm->error, -ENOTSUP,
		                "the %s backend's TSC is the host's",
		                vm->backend->name);
	from.file = open_copy(vm, fd, "rb");
	if (!from.file)
		return -errno;
	result = get_head(vm, &from, &head);
	if (result == 0) {
		/* From here to the end it is neither this nor that. */
		vm->loaded = vm->booted = vm->over = true;
		result = get_rest(vm, &from, &head, tsc);
		if (result == 0) {
			vm->over = false;
			atomic_store(&vm->ended, false);
			atomic_store(&vm->watchdog.stop, VM__STOP_NONE);
		}
	}
	fclose(from.file);
	return result;
}
