/* SPDX-License-Identifier: MIT */
/*
 * The emulated backend, on Unicorn 2.0.1. Its address space stands for the
 * guest's virtual one: paging stays off inside the emulator, since its walker
 * ignores the physical address that it finds. The page tables in guest memory
 * are reported all the same.
 *
 * What else is peculiar: a stop takes effect at the end of a translation block
 * only, and RIP is then one of before (engine_block.c); `hlt` and a stop look
 * alike, so that each `hlt` has a hook; RIP is exact at memory faults only while
 * some memory hook exists; a fault never reaches the guest's IDT by itself. The
 * last one is made up for by interrupt.c.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What the emulator reserves; it ends the process where it cannot. */
#define ENGINE_BYTES (UINT64_C(1100) << 20)
#define FETCH        0x10u
#define WRITE        0x02u
#define PRESENT      0x01u
#define NOWHERE      UINT64_C(8) /* in page 0, which is never mapped */

static bool over(const struct vm *vm)
{
	return vm__over(vm->vcpus); /* there is one */
}

int vm__engine_failed(struct vm *vm, const char *what, uc_err err)
{
	return vm__fail(vm->error, err == UC_ERR_NOMEM ? -ENOMEM : -EIO,
	                "emulator: %s: %s", what, uc_strerror(err));
}

/* Asks the kernel for the same as the emulator will, and in the same way. */
int vm__emulated_usable(char error[VM_ERROR_BYTES])
{
	void *room =
		mmap(NULL, ENGINE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
	             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return vm__fail(error, -ENOMEM,
		                "the emulator needs 1.1 GB of address space, "
		                "executable: %s",
		                strerror(errno));
	munmap(room, ENGINE_BYTES);
	return 0;
}

/* ---- Hooks: on the thread of vm_run(), inside uc_emu_start() ------------- */

static struct vm_exit exit_now(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	struct vm_exit exit = {
		.registers_valid = true,
		.cr0 = vm->vcpus[0].entry.cr0,
		.cr3 = vm->vcpus[0].entry.cr3,
		.cr4 = vm->vcpus[0].entry.cr4,
		.efer = vm->vcpus[0].entry.efer,
	};
	int names[] = {UC_X86_REG_R8, UC_X86_REG_R9, UC_X86_REG_R10};
	void *values[] = {&exit.r8, &exit.r9, &exit.r10};

	uc_reg_read_batch(engine->uc, names, values, 3);
	return exit;
}

static struct vm_exit exit_with_rip(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	struct vm_exit exit = exit_now(vm);

	exit.rip_valid = true;
	uc_reg_read(engine->uc, UC_X86_REG_RIP, &exit.rip);
	return exit;
}

static void port_exit(struct vm *vm, uint32_t port, int size, bool write,
                      uint32_t value)
{
	struct vm__engine *engine = vm->state;
	struct vm_exit exit = exit_now(vm);
	unsigned char data[sizeof value];

	memcpy(data, &value, sizeof value);
	exit.reason = VM_EXIT_IO;
	exit.port = (uint16_t)port;
	exit.width = (uint8_t)size;
	exit.write = write;
	exit.count = 1;
	vm__exit(vm->vcpus, &exit, write ? data : NULL);
	if (!over(vm))
		vm__enter(vm->vcpus);
	if (vm->vcpus[0].timer.period_ns && !over(vm) &&
	    vm__engine_hook_blocks(vm))
		vm__failed(vm->vcpus, &exit, -EIO, "emulator: blocks");
	if (vm->vcpus[0].timer.pending)
		atomic_store(&engine->asked, VM__ASK_STOP);
	if (over(vm) || vm__stopping(vm))
		uc_emu_stop(engine->uc);
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value,
                   void *ctx)
{
	struct vm *vm = ctx;

	(void)uc;
	if (!over(vm)) /* else the rest of the block after the end */
		port_exit(vm, port, size, true, value);
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *ctx)
{
	struct vm *vm = ctx;

	(void)uc;
	if (!over(vm))
		port_exit(vm, port, size, false, 0);
	return UINT32_MAX;
}

static void raise_event(struct vm *vm, struct vm__event event)
{
	struct vm__engine *engine = vm->state;

	if (!engine->pending)
		engine->event = event;
	engine->pending = true;
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *ctx)
{
	struct vm *vm = ctx;
	struct vm__event event = {.vector = number & 0xff};

	/* INT n below 32 looks like the exception n and is taken for it. */
	event.software = event.vector >= 32;
	event.length = event.software ? 2 : 0;
	raise_event(vm, event);
	uc_emu_stop(uc);
}

/* EFER.SCE is off: there is no such instruction. */
static void on_syscall(uc_engine *uc, void *ctx)
{
	struct vm *vm = ctx;
	struct vm__engine *engine = vm->state;

	engine->rewind = 2;
	raise_event(vm, (struct vm__event){.vector = VM__INVALID_OPCODE});
	uc_emu_stop(uc);
}

static uint32_t access_of(uc_mem_type type)
{
	switch (type) {
	case UC_MEM_WRITE_UNMAPPED:
	case UC_MEM_WRITE_PROT:
		return WRITE;
	case UC_MEM_FETCH_UNMAPPED:
	case UC_MEM_FETCH_PROT:
		return FETCH;
	default:
		return 0;
	}
}

static bool on_bad_access(uc_engine *uc, uc_mem_type type, uint64_t address,
                          int size, int64_t value, void *ctx)
{
	struct vm *vm = ctx;
	uint32_t code = access_of(type);
	unsigned prot = code == WRITE ? VM__WRITE : 0;
	struct vm__event event = {.vector = VM__PAGE_FAULT, .code = code};
	uint64_t n;

	(void)uc;
	(void)size;
	(void)value;
	if ((uint64_t)((int64_t)(address << 16) >> 16) != address) {
		event = (struct vm__event){.vector = VM__PROTECTION};
	} else {
		prot |= code == FETCH ? VM__EXECUTE : 0;
		/* An access across pages faults in its second one. */
		if (vm__at(&vm->space, address, prot | VM__READ, &n))
			address += n;
		if (vm__at(&vm->space, address, VM__READ, &n))
			event.code |= PRESENT;
		event.cr2 = address;
	}
	raise_event(vm, event);
	return false;
}

static void on_nothing(uc_engine *uc, uc_mem_type type, uint64_t address,
                       int size, int64_t value, void *ctx)
{
	(void)uc, (void)type, (void)address;
	(void)size, (void)value, (void)ctx;
}

/* uc_hook_add() takes functions as void *, which ISO C does not have. */
union callback {
	void (*out)(uc_engine *, uint32_t, int, uint32_t, void *);
	uint32_t (*in)(uc_engine *, uint32_t, int, void *);
	void (*interrupt)(uc_engine *, uint32_t, void *);
	void (*syscall)(uc_engine *, void *);
	bool (*bad_access)(uc_engine *, uc_mem_type, uint64_t, int, int64_t,
	                   void *);
	void (*access)(uc_engine *, uc_mem_type, uint64_t, int, int64_t,
	               void *);
	void *pointer;
};

static uc_err hook_insn(struct vm *vm, union callback callback, int insn)
{
	struct vm__engine *engine = vm->state;
	uc_hook hook;

	return uc_hook_add(engine->uc, &hook, UC_HOOK_INSN, callback.pointer,
	                   vm, 1, 0, insn);
}

static uc_err hook(struct vm *vm, int type, union callback callback,
                   uint64_t begin, uint64_t end)
{
	struct vm__engine *engine = vm->state;
	uc_hook handle;

	return uc_hook_add(engine->uc, &handle, type, callback.pointer, vm,
	                   begin, end);
}

static uc_err hook_all(struct vm *vm)
{
	uc_err err =
		hook_insn(vm, (union callback){.out = on_out}, UC_X86_INS_OUT);

	if (!err)
		err = hook_insn(vm, (union callback){.in = on_in},
		                UC_X86_INS_IN);
	if (!err)
		err = hook_insn(vm, (union callback){.syscall = on_syscall},
		                UC_X86_INS_SYSCALL);
	if (!err)
		err = hook_insn(vm, (union callback){.syscall = on_syscall},
		                UC_X86_INS_SYSENTER);
	if (!err)
		err = hook(vm, UC_HOOK_INTR,
		           (union callback){.interrupt = on_interrupt}, 1, 0);
	if (!err)
		err = hook(vm, UC_HOOK_MEM_INVALID,
		           (union callback){.bad_access = on_bad_access}, 1, 0);
	/* Its mere existence makes RIP exact at memory faults. */
	if (!err)
		err = hook(vm, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
		           (union callback){.access = on_nothing}, NOWHERE,
		           NOWHERE);
	return err;
}

/* ---- Backend ------------------------------------------------------------- */

static int emulated_create(struct vm *vm)
{
	struct vm__engine *engine = calloc(1, sizeof *engine);
	uc_err err;

	if (!engine)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	vm->state = engine;
	err = uc_open(UC_ARCH_X86, UC_MODE_64, &engine->uc);
	if (err)
		return vm__engine_failed(vm, "open", err);
	err = vm__engine_segments(engine->uc);
	if (err)
		return vm__engine_failed(vm, "segments", err);
	/* No address at all at which it stops by itself. */
	err = uc_ctl_exits_enable(engine->uc);
	if (!err)
		err = hook_all(vm);
	return err ? vm__engine_failed(vm, "hooks", err) : 0;
}

static void emulated_destroy(struct vm *vm)
{
	struct vm__engine *engine = vm->state;

	if (!engine)
		return;
	if (engine->uc)
		uc_close(engine->uc);
	free(engine);
	vm->state = NULL;
}

static int emulated_map(struct vm *vm, const struct vm__run *run)
{
	struct vm__engine *engine = vm->state;
	uint32_t prot = UC_PROT_READ;
	uc_err err;

	prot |= run->prot & VM__WRITE ? UC_PROT_WRITE : 0;
	prot |= run->prot & VM__EXECUTE ? UC_PROT_EXEC : 0;
	err = uc_mem_map_ptr(engine->uc, run->gva, run->bytes, prot,
	                     vm->space.ram + run->gpa);
	return err ? vm__engine_failed(vm, "map", err) : 0;
}

static int emulated_prepare(struct vm__vcpu *vcpu)
{
	struct vm__engine *engine = vcpu->vm->state;
	uc_err err = vm__engine_enter(engine->uc, &vcpu->entry);

	return err ? vm__engine_failed(vcpu->vm, "registers", err) : 0;
}

/* Hands the pending exception to the guest. */
static void deliver(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	struct vm__cpu before = vm__engine_cpu(engine->uc), cpu = before;
	uc_err err;

	cpu.rip -= engine->rewind;
	engine->rewind = 0;
	engine->pending = false;
	if (!vm__deliver(&vm->space, &cpu, engine->event)) {
		struct vm_exit exit = exit_with_rip(vm);

		exit.reason = VM_EXIT_SHUTDOWN;
		vm__exit(vm->vcpus, &exit, NULL);
		return;
	}
	err = vm__engine_set_cpu(engine->uc, &before, &cpu);
	if (err) {
		struct vm_exit exit = {0};

		vm__failed(vm->vcpus, &exit, -EIO, "emulator: exception: %s",
		           uc_strerror(err));
	}
}

/* In an `hlt` that its timer will end the vCPU goes on behind that. */
static void enter(struct vm *vm)
{
	struct vm__engine *engine = vm->state;

	if (vm->vcpus[0].timer.asleep) {
		vm__timer_wait(vm->vcpus);
		engine->woken = !vm->vcpus[0].timer.asleep;
	}
	vm__enter(vm->vcpus);
}

/* uc_emu_start() is back: an end, an exception, a stop, or `hlt`. */
static void after_start(struct vm *vm, uc_err err)
{
	struct vm__engine *engine = vm->state;
	struct vm_exit exit;

	if (over(vm))
		return;
	if (engine->pending) {
		deliver(vm);
		return;
	}
	if (err == UC_ERR_INSN_INVALID || err == UC_ERR_EXCEPTION) {
		raise_event(vm,
		            (struct vm__event){.vector = VM__INVALID_OPCODE});
		deliver(vm);
		return;
	}
	exit = exit_with_rip(vm);
	if (err) {
		vm__failed(vm->vcpus, &exit, -EIO, "emulator: %s",
		           uc_strerror(err));
	} else if (engine->hlt) {
		engine->hlt = false;
		exit.reason = VM_EXIT_HLT;
		vm->vcpus[0].timer.open = vm__engine_is_open(engine->uc);
		vm__exit(vm->vcpus, &exit, NULL);
		if (!over(vm))
			enter(vm);
	}
}

/* A tick that is due, between two basic blocks; the end of an `hlt` has been
 * an exit already. */
static void tick(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	struct vm_exit exit;

	if (!vm__timer_due(vm->vcpus))
		return;
	exit = exit_with_rip(vm);
	if (!vm__engine_takes_tick(vm, exit.rip)) {
		vm__timer_retry(vm->vcpus);
		return;
	}
	if (!engine->woken) {
		vm__interrupted(vm->vcpus, &exit);
		if (over(vm))
			return;
		vm__enter(vm->vcpus);
	}
	engine->woken = false;
	vm__timer_taken(vm->vcpus);
	raise_event(vm, (struct vm__event){.vector = VM__TIMER_VECTOR});
	deliver(vm);
}

static void emulated_run(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vm__engine *engine = vm->state;
	uc_err err = vm__engine_hook_hlts(vm);

	if (!err && vcpu->timer.period_ns)
		err = vm__engine_hook_blocks(vm);

	if (err) {
		vm__failed(vcpu, &(struct vm_exit){0}, -EIO, "emulator: %s",
		           uc_strerror(err));
		return;
	}
	enter(vm);
	while (!over(vm)) {
		uint64_t rip = 0;

		/* Here, too: a guest may fault faster than we can stop it. */
		if (vm__stopping(vm)) {
			struct vm_exit exit = exit_with_rip(vm);

			vm__interrupted(vm->vcpus, &exit);
			break;
		}
		tick(vm);
		if (over(vm))
			break;
		if (atomic_load(&engine->asked) == VM__ASK_PLACED)
			atomic_store(&engine->asked, VM__ASK_NOTHING);
		uc_reg_read(engine->uc, UC_X86_REG_RIP, &rip);
		after_start(vm, uc_emu_start(engine->uc, rip, 0, 0, 0));
	}
}

/* RDTSC in the guest is RDTSC on the host. */
static int emulated_tsc(struct vm__vcpu *vcpu, int64_t *ret_offset,
                        uint64_t *ret_khz)
{
	(void)vcpu;
	*ret_offset = 0;
	*ret_khz = 0;
	return 0;
}

/* A fresh engine over the memory that is there. */
static int emulated_reset(struct vm *vm)
{
	int result;

	emulated_destroy(vm);
	result = emulated_create(vm);
	for (size_t i = 0; i < vm->run_count && result == 0; i++)
		result = emulated_map(vm, &vm->runs[i]);
	return result;
}

const struct vm__backend vm__emulated = {
	.name = "emulated",
	.vcpus_max = 1, /* two engines would not see each other's LOCK */
	.create = emulated_create,
	.map = emulated_map,
	.prepare = emulated_prepare,
	.run = emulated_run,
	.interrupt = vm__engine_interrupt,
	.tsc = emulated_tsc,
	.state_bytes = sizeof(struct vm__engine_state),
	.save = vm__engine_save,
	.reset = emulated_reset,
	.restore = vm__engine_restore,
	.destroy = emulated_destroy,
};
