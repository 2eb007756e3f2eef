/* SPDX-License-Identifier: MIT */
/*
 * The life of a VM: memory, image, boot information, clocks. Everything that
 * does not depend on what executes the guest.
 */
#include "callers.h"
#include "vm_internal.h"

#include "elf_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CR0_LONG_MODE  UINT64_C(0x80010033) /* PG WP NE ET MP PE */
#define CR4_LONG_MODE  UINT64_C(0x620)      /* OSXMMEXCPT OSFXSR PAE */
#define EFER_LONG_MODE UINT64_C(0xd00)      /* NXE LMA LME */

static int on_mapped(void *ctx, const struct vm__run *run)
{
	struct vm *vm = ctx;
	struct vm__run *runs =
		realloc(vm->runs, (vm->run_count + 1) * sizeof *runs);

	if (!runs)
		return -ENOMEM;
	vm->runs = runs;
	runs[vm->run_count++] = *run;
	return vm->backend->map ? vm->backend->map(vm, run) : 0;
}

static int make_vcpus(struct vm *vm)
{
	vm->vcpus = calloc(vm->options.vcpus, sizeof *vm->vcpus);
	if (!vm->vcpus)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < vm->options.vcpus; i++) {
		vm->vcpus[i].vm = vm;
		vm->vcpus[i].index = i;
		vm__timer_init(&vm->vcpus[i].timer);
		vm->vcpus[i].entry = (struct vm__entry){
			.cr0 = CR0_LONG_MODE,
			.cr3 = vm->space.root,
			.cr4 = CR4_LONG_MODE,
			.efer = EFER_LONG_MODE,
		};
	}
	return 0;
}

static int build(struct vm *vm)
{
	int result = vm__watchdog_init(&vm->watchdog);

	if (result < 0)
		return vm__fail(vm->error, result, "no eventfd: %s",
		                strerror(-result));
	result = vm__space_init(
		&vm->space, vm->options.memory_bytes,
		vm->options.has_memory_fd ? vm->options.memory_fd : -1);
	if (result < 0)
		return vm__fail(vm->error, result,
		                "no %llu MiB of address space for the guest",
		                (unsigned long long)vm->options.memory_bytes >>
		                        20);
	vm->space.mapped = on_mapped;
	vm->space.ctx = vm;
	result = make_vcpus(vm);
	return result < 0 ? result : vm->backend->create(vm);
}

int vm__new_on(struct vm **ret_vm, const struct vm__backend *backend,
               const struct vm_options *options, char error[VM_ERROR_BYTES])
{
	struct vm *vm = calloc(1, sizeof *vm);
	int result;

	if (!vm)
		return vm__fail(error, -ENOMEM, "out of memory");
	vm->backend = backend;
	vm->options = *options;
	vm->watchdog.wake_fd = -1;
	pthread_mutex_init(&vm->console, NULL);
	pthread_mutex_init(&vm->gate, NULL);
	if (vm->options.memory_bytes == 0)
		vm->options.memory_bytes = VM_MEMORY_BYTES_DEFAULT;
	if (vm->options.vcpus == 0)
		vm->options.vcpus = 1;
	result = build(vm);
	if (result < 0) {
		vm__fail(error, result, "%s", vm->error);
		vm_free(vm);
		return result;
	}
	*ret_vm = vm;
	return 0;
}

struct vm *vm_free(struct vm *vm)
{
	if (!vm)
		return NULL;
	vm->backend->destroy(vm);
	for (unsigned i = 0; vm->vcpus && i < vm->options.vcpus; i++)
		vm__timer_fini(&vm->vcpus[i].timer);
	vm__space_fini(&vm->space);
	vm__watchdog_fini(&vm->watchdog);
	pthread_mutex_destroy(&vm->console);
	pthread_mutex_destroy(&vm->gate);
	free(vm->vcpus);
	free(vm->runs);
	free(vm);
	return NULL;
}

const char *vm_error(const struct vm *vm)
{
	return vm->error;
}

const char *vm_backend_name(const struct vm *vm)
{
	return vm->backend->name;
}

unsigned vm_capabilities(const struct vm *vm)
{
	return vm->backend->capabilities;
}

/* Straight into the guest's pages; what is not in the file stays zero. */
static int load_segment(struct vm *vm, const struct vm__elf_source *source,
                        const struct vm__elf_segment *segment)
{
	uint64_t part;
	int result = vm__map(&vm->space, segment->page_gva, segment->page_bytes,
	                     segment->prot);

	if (result < 0)
		return vm__fail(vm->error, result,
		                "does not fit into the guest's memory");
	for (uint64_t at = 0; at < segment->file_bytes; at += part) {
		unsigned char *to =
			vm__at(&vm->space, segment->gva + at, VM__READ, &part);

		if (!to)
			return vm__fail(vm->error, -EFAULT, "lost a page");
		if (part > segment->file_bytes - at)
			part = segment->file_bytes - at;
		result = vm__elf_read(source, segment->file_offset + at, to,
		                      part);
		if (result < 0)
			return vm__fail(vm->error, result,
			                "cannot be read, or has shrunk");
	}
	return 0;
}

static void keep_build_id(struct vm *vm, const struct vm__elf *elf)
{
	static const char digits[] = "0123456789abcdef";
	char *to = vm->build_id;

	for (unsigned i = 0; i < elf->build_id_bytes; i++) {
		*to++ = digits[elf->build_id[i] >> 4];
		*to++ = digits[elf->build_id[i] & 15];
	}
	*to = '\0';
}

const char *vm_build_id(const struct vm *vm)
{
	return vm->build_id;
}

static int load(struct vm *vm, const struct vm__elf_source *source)
{
	struct vm__elf elf;
	const char *why;
	int result;

	if (vm->loaded)
		return vm__fail(vm->error, -EBUSY, "already loaded");
	result = vm__elf_parse(source, &elf, &why);
	if (result < 0)
		return vm__fail(vm->error, result, "%s", why);
	vm->loaded = true; /* half of an image cannot be taken back */
	for (unsigned i = 0; i < elf.count && result == 0; i++)
		result = load_segment(vm, source, &elf.segment[i]);
	if (result == 0)
		vm->entry_gva = elf.entry_gva;
	if (result == 0)
		keep_build_id(vm, &elf);
	return result;
}

int vm_load_bytes(struct vm *vm, const void *bytes, size_t n)
{
	struct vm__elf_source source = {.fd = -1, .bytes = bytes, .n = n};

	return load(vm, &source);
}

int vm_load(struct vm *vm, const char *path)
{
	struct vm__elf_source source = {0};
	struct stat status;
	int result;

	/* A FIFO or a terminal shall not make us wait, nor own us. */
	source.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source.fd < 0 || fstat(source.fd, &status) < 0)
		result = vm__fail(vm->error, -errno, "%s", strerror(errno));
	else if (!S_ISREG(status.st_mode))
		result = vm__fail(vm->error, -ENOEXEC, "not a regular file");
	else {
		source.n = (uint64_t)status.st_size;
		result = load(vm, &source);
	}
	if (source.fd >= 0)
		close(source.fd);
	return result;
}

static int args_bytes(const struct vm_boot *boot, size_t *ret_n)
{
	size_t n = 0;

	for (unsigned i = 0; i < boot->argc; i++) {
		n += strnlen(boot->argv[i], VM_ARGS_BYTES_MAX) + 1;
		if (n > VM_ARGS_BYTES_MAX)
			return -EINVAL;
	}
	*ret_n = n;
	return 0;
}

/* One struct gt_boot per vCPU, then the arguments that they share. */
static bool put_boot(struct vm *vm, const struct vm_boot *boot,
                     struct gt_boot *info)
{
	uint64_t gva = VM__BOOT_GVA;

	for (info->vcpu = 0; info->vcpu < info->vcpus; info->vcpu++) {
		if (!vm__copy_in(&vm->space, gva, info, sizeof *info, VM__READ))
			return false;
		gva += sizeof *info;
	}
	for (unsigned i = 0; i < boot->argc; i++) {
		size_t n = strlen(boot->argv[i]) + 1;

		if (!vm__copy_in(&vm->space, gva, boot->argv[i], n, VM__READ))
			return false;
		gva += n;
	}
	return true;
}

/* Stacks, boot information, then all the rest as heap. */
static int map_boot(struct vm *vm, struct gt_boot *info)
{
	struct vm__space *space = &vm->space;
	uint64_t n = info->args_gva - VM__BOOT_GVA + info->args_bytes;
	int result = 0;

	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++)
		result = vm__map(space, VM__STACK_GVA + i * VM__STACK_STEP,
		                 VM_STACK_BYTES, VM__READ | VM__WRITE);
	if (result == 0)
		result = vm__map(space, VM__BOOT_GVA,
		                 (n + VM__PAGE_BYTES - 1) & -VM__PAGE_BYTES,
		                 VM__READ | VM__WRITE);
	if (result == 0)
		result = vm__map_rest(space, VM__HEAP_GVA, &info->heap_bytes);
	return result;
}

/* As if called: a return address, 0 like all fresh memory, on the stack. */
static int prepare(struct vm__vcpu *vcpu)
{
	struct vm__entry *entry = &vcpu->entry;

	entry->rip = vcpu->vm->entry_gva;
	entry->rsp = VM__STACK_GVA + vcpu->index * VM__STACK_STEP +
	             VM_STACK_BYTES - 8;
	entry->rdi = VM__BOOT_GVA + vcpu->index * sizeof(struct gt_boot);
	vcpu->last = (struct vm_exit){.cr0 = entry->cr0,
	                              .cr3 = entry->cr3,
	                              .cr4 = entry->cr4,
	                              .efer = entry->efer};
	return vcpu->vm->backend->prepare(vcpu);
}

int vm_boot(struct vm *vm, const struct vm_boot *boot)
{
	struct gt_boot info = {
		.magic = GT_BOOT_MAGIC,
		.size = sizeof info,
		.vcpus = vm->options.vcpus,
		.wire = boot->wire,
		.ring_mode = boot->ring_mode,
		.args_count = boot->argc,
		.args_gva = VM__BOOT_GVA + vm->options.vcpus * sizeof info,
		.heap_gva = VM__HEAP_GVA,
		.memory_bytes = vm->options.memory_bytes,
	};
	int result;

	if (boot->size != sizeof *boot)
		return vm__fail(vm->error, -EINVAL, "boot of another version");
	if (!vm->loaded || vm->entry_gva == 0)
		return vm__fail(vm->error, -EINVAL, "nothing is loaded");
	if (vm->booted)
		return vm__fail(vm->error, -EBUSY, "already booted");
	if (args_bytes(boot, &info.args_bytes) < 0)
		return vm__fail(vm->error, -EINVAL,
		                "arguments of more than %u bytes",
		                VM_ARGS_BYTES_MAX);
	vm->booted = true;
	result = map_boot(vm, &info);
	if (result == 0 && !put_boot(vm, boot, &info))
		result = -EFAULT;
	if (result < 0) {
		vm->over = true;
		return vm__fail(vm->error, result,
		                "the guest's memory is too small for its "
		                "image, stacks and arguments");
	}
	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++)
		result = prepare(&vm->vcpus[i]);
	return result;
}

void *vm_memory(const struct vm *vm, uint64_t *ret_bytes)
{
	*ret_bytes = vm->space.ram_bytes;
	return vm->space.ram;
}

static bool read_guest(void *space, uint64_t gva, void *to, size_t count)
{
	return vm__copy_out(space, gva, to, count, VM__READ);
}

size_t vm_callers(const struct vm *vm, uint64_t rip, uint64_t *ret_addresses,
                  size_t most, uint64_t *ret_function)
{
	const struct vm_outcome *outcome = &vm->outcome;
	struct vm__space space = vm->space;
	size_t count;

	*ret_function = 0;
	if (outcome->end != VM_ABORTED || outcome->frame_rip != rip || !most)
		return 0;
	*ret_function = vm__find_leaf(read_guest, &space,
	                              outcome->stack_pointer,
	                              outcome->frame_pointer, ret_addresses);
	count = *ret_function != 0;
	return count + vm__find_callers(read_guest, &space,
	                                outcome->frame_pointer,
	                                ret_addresses + count, most - count);
}

int vm_tsc(struct vm *vm, unsigned vcpu, int64_t *ret_offset, uint64_t *ret_khz)
{
	if (vcpu >= vm->options.vcpus)
		return vm__fail(vm->error, -EINVAL, "no vCPU %u", vcpu);
	return vm->backend->tsc(&vm->vcpus[vcpu], ret_offset, ret_khz);
}

int vm_set_tsc(struct vm *vm, unsigned vcpu, int64_t offset)
{
	if (vcpu >= vm->options.vcpus)
		return vm__fail(vm->error, -EINVAL, "no vCPU %u", vcpu);
	if (!vm->backend->set_tsc)
		return vm__fail(vm->error, -ENOTSUP,
		                "the %s backend's TSC is the host's",
		                vm->backend->name);
	return vm->backend->set_tsc(&vm->vcpus[vcpu], offset);
}

int vm_doorbell(struct vm *vm, int eventfd, uint8_t value)
{
	if (!vm->backend->doorbell)
		return vm__fail(vm->error, -ENOTSUP,
		                "the %s backend has no doorbell of its own",
		                vm->backend->name);
	return vm->backend->doorbell(vm, eventfd, value);
}
