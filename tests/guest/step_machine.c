/* SPDX-License-Identifier: MIT */
#include "step_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RAM_BYTES   (UINT64_C(4) << 20)
#define TABLES_GPA  UINT64_C(0x1000)
#define BOARD_GPA   UINT64_C(0x4000)
#define STACK_GPA   UINT64_C(0x5000) /* of each thread, STACK_BYTES */
#define STACK_BYTES UINT64_C(0x4000)
#define LOW_END     (STACK_GPA + STEP_THREADS * STACK_BYTES)
#define IMAGE_GPA   UINT64_C(0x200000)

struct step_board *step_board(struct step_machine *machine)
{
	return (struct step_board *)(void *)(machine->ram + BOARD_GPA);
}

static uint64_t reg(const struct step_machine *machine, int name)
{
	uint64_t value = 0;

	uc_reg_read(machine->uc, name, &value);
	return value;
}

static void set_reg(struct step_machine *machine, int name, uint64_t value)
{
	uc_reg_write(machine->uc, name, &value);
}

bool step_is_held(struct step_machine *machine)
{
	uint64_t at = step_board(machine)->held_gva, held = 0;

	if (at)
		memcpy(&held, machine->ram + at, sizeof(held));
	return held != 0;
}

uint64_t step_rip(const struct step_machine *machine)
{
	return reg(machine, UC_X86_REG_RIP);
}

static void on_write(uc_engine *uc, uc_mem_type type, uint64_t address,
                     int size, int64_t value, void *context)
{
	struct step_machine *machine = context;

	(void)uc, (void)type;
	step__log(machine, address - step_board(machine)->vcpu_gva, size,
	          (uint64_t)value);
}

/* ---- The host ------------------------------------------------------------ */

static int report_exit(struct step_machine *machine, uint64_t r8, uint64_t r9,
                       uint64_t r10)
{
	struct gt_exit exit = {
		.size = sizeof(exit),
		.reason = GT_EXIT_IO,
		.port = GT_PORT_TRACE,
		.width_bytes = 1,
		.out = true,
		.count = 1,
		.r8 = r8,
		.r9 = r9,
		.r10 = r10,
		.cr0 = UINT64_C(0x80000001),
		.cr3 = TABLES_GPA,
		.cr4 = UINT64_C(1) << 5,
		.efer = UINT64_C(1) << 10,
	};

	return gt_host_exit(machine->host, 0, &exit);
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value,
                   void *context)
{
	struct step_machine *machine = context;
	uint64_t operation = reg(machine, UC_X86_REG_R10);

	(void)uc, (void)value;
	step__check(machine, port == GT_PORT_TRACE && size == 1,
	            "only doorbells");
	if (!machine->host) {
		machine->control_gva = reg(machine, UC_X86_REG_R9);
		return;
	}
	machine->result.doorbells++;
	if ((uint32_t)operation == GT_DOORBELL_FLUSH)
		step__expect_drain(machine);
	step__check(machine,
	            report_exit(machine, reg(machine, UC_X86_REG_R8),
	                        reg(machine, UC_X86_REG_R9), operation) > 0,
	            "the host serves the doorbell");
}

/* Of the boot, then of now: no record is older than the first reading. */
static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	struct step_machine *machine = context;
	struct timespec now;

	if (machine->started.tsc) {
		*ret_reading = machine->started;
		machine->started.tsc = 0;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	ret_reading->tsc = __builtin_ia32_rdtsc();
	ret_reading->monotonic_ns =
		(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	ret_reading->realtime_ns = ret_reading->monotonic_ns;
	ret_reading->gap_ns = 1000;
}

static bool new_host(struct step_machine *machine)
{
	struct gt_sink *sinks[] = {&machine->sink};
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory = {{.gpa = 0,
	                    .bytes = RAM_BYTES,
	                    .host = machine->ram}},
		.memory_slots = 1,
		.sinks = sinks,
		.sink_count = 1,
		.read_clock = read_clock,
		.clock_context = machine,
	};

	machine->started = machine->booting;
	if (gt_host_new(&options, &machine->host) < 0)
		return false;
	return report_exit(machine, GT_DOORBELL_MAGIC, machine->control_gva,
	                   GT_DOORBELL_ANNOUNCE) > 0;
}

/* ---- The machine --------------------------------------------------------- */

static void on_code(uc_engine *uc, uint64_t address, uint32_t size,
                    void *context)
{
	struct step_machine *machine = context;

	(void)size;
	if (machine->steps == machine->stop_at ||
	    (machine->watches_return && address == machine->return_rip &&
	     reg(machine, UC_X86_REG_RSP) == machine->return_rsp)) {
		machine->stopped = true;
		uc_emu_stop(uc);
		return;
	}
	machine->steps++;
}

bool step_run(struct step_machine *machine, uint64_t steps, uint64_t *ret_steps)
{
	uc_err err;

	machine->steps = 0;
	machine->stop_at = steps;
	machine->stopped = false;
	err = uc_emu_start(machine->uc, step_rip(machine), 0, 0, 0);
	if (err)
		fprintf(stderr, "step_machine: at 0x%llx: %s\n",
		        (unsigned long long)step_rip(machine),
		        uc_strerror(err));
	step__check(machine, !err, "the guest runs");
	if (ret_steps)
		*ret_steps = machine->steps;
	return machine->stopped;
}

void step_interrupt(struct step_machine *machine, uint64_t rip)
{
	uint64_t rsp = reg(machine, UC_X86_REG_RSP);
	uint64_t frame[] = {reg(machine, UC_X86_REG_RFLAGS), step_rip(machine)};

	memcpy(machine->ram + rsp - sizeof(frame), frame, sizeof(frame));
	machine->return_rip = frame[1];
	machine->return_rsp = rsp;
	set_reg(machine, UC_X86_REG_RSP, rsp - sizeof(frame));
	set_reg(machine, UC_X86_REG_RIP, rip);
}

uint64_t step_return(struct step_machine *machine)
{
	uint64_t steps, rip = machine->return_rip, rsp = machine->return_rsp;

	machine->watches_return = true;
	step_run(machine, STEP_NEVER, &steps);
	machine->watches_return = false;
	step__check(machine,
	            step_rip(machine) == rip &&
	                    reg(machine, UC_X86_REG_RSP) == rsp,
	            "the handler returns");
	return steps;
}

void step_swap(struct step_machine *machine)
{
	uc_context *next = machine->other;
	uc_context *now = NULL;

	uc_context_alloc(machine->uc, &now);
	uc_context_save(machine->uc, now);
	uc_context_restore(machine->uc, next);
	uc_context_free(next);
	machine->other = now;
	machine->result.took_turns = true;
}

static bool load(struct step_machine *machine, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return false;
	machine->image_bytes =
		fread(machine->ram + IMAGE_GPA, 1, RAM_BYTES - IMAGE_GPA, file);
	fclose(file);
	return machine->image_bytes > 0;
}

/* uc_hook_add() takes functions as void *, which ISO C does not have. */
union callback {
	void (*code)(uc_engine *, uint64_t, uint32_t, void *);
	void (*out)(uc_engine *, uint32_t, int, uint32_t, void *);
	void (*write)(uc_engine *, uc_mem_type, uint64_t, int, int64_t, void *);
	void *pointer;
};

static bool open_engine(struct step_machine *machine)
{
	uc_hook hook;

	return !uc_open(UC_ARCH_X86, UC_MODE_64, &machine->uc) &&
	       !uc_ctl_exits_enable(machine->uc) &&
	       !uc_mem_map_ptr(machine->uc, 0, RAM_BYTES, UC_PROT_ALL,
	                       machine->ram) &&
	       !uc_hook_add(machine->uc, &hook, UC_HOOK_CODE,
	                    (union callback){.code = on_code}.pointer, machine,
	                    1, 0) &&
	       !uc_hook_add(machine->uc, &hook, UC_HOOK_INSN,
	                    (union callback){.out = on_out}.pointer, machine, 1,
	                    0, UC_X86_INS_OUT) &&
	       !uc_context_alloc(machine->uc, &machine->booted) &&
	       !uc_context_alloc(machine->uc, &machine->second) &&
	       !uc_context_alloc(machine->uc, &machine->other);
}

struct step_machine *step_new(const char *image_path)
{
	struct step_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->ram = aligned_alloc(4096, RAM_BYTES);
	machine->kept = malloc(RAM_BYTES);
	machine->image = malloc(RAM_BYTES - IMAGE_GPA);
	if (!machine->ram || !machine->kept || !machine->image ||
	    !load(machine, image_path) || !open_engine(machine)) {
		fprintf(stderr, "step_machine: cannot load %s\n", image_path);
		step_free(machine);
		return NULL;
	}
	machine->sink = step__sink();
	memcpy(machine->image, machine->ram + IMAGE_GPA, machine->image_bytes);
	return machine;
}

void step_free(struct step_machine *machine)
{
	if (!machine)
		return;
	gt_host_free(machine->host);
	uc_context_free(machine->booted);
	uc_context_free(machine->second);
	uc_context_free(machine->other);
	if (machine->uc)
		uc_close(machine->uc);
	free(machine->ram);
	free(machine->kept);
	free(machine->image);
	free(machine);
}

/* One to one by one page of 1 GiB, for the host; the engine needs none. */
static void write_tables(struct step_machine *machine)
{
	uint64_t table = (TABLES_GPA + 4096) | 3, page = 0x83;

	memcpy(machine->ram + TABLES_GPA, &table, 8);
	memcpy(machine->ram + TABLES_GPA + 4096, &page, 8);
}

static void prepare_second(struct step_machine *machine)
{
	uc_context_save(machine->uc, machine->booted);
	set_reg(machine, UC_X86_REG_RSP, STACK_GPA + 2 * STACK_BYTES - 8);
	set_reg(machine, UC_X86_REG_RIP, step_board(machine)->second_rip);
	uc_context_save(machine->uc, machine->second);
	uc_context_restore(machine->uc, machine->booted);
}

/* Copies what a guest writes: board, stacks and image. */
static void copy_memory(struct step_machine *machine, uint8_t *to,
                        const uint8_t *from)
{
	memcpy(to + BOARD_GPA, from + BOARD_GPA, LOW_END - BOARD_GPA);
	memcpy(to + IMAGE_GPA, from + IMAGE_GPA, machine->image_bytes);
}

static void forget(struct step_machine *machine)
{
	gt_host_free(machine->host);
	machine->host = NULL;
	step__forget(machine);
}

static bool boot(struct step_machine *machine,
                 const struct step_board *settings)
{
	machine->booted_count = 0;
	forget(machine);
	write_tables(machine);
	memcpy(machine->ram + IMAGE_GPA, machine->image, machine->image_bytes);
	*step_board(machine) = *settings;
	read_clock(machine, &machine->booting);
	set_reg(machine, UC_X86_REG_RSP, STACK_GPA + STACK_BYTES - 8);
	set_reg(machine, UC_X86_REG_RDI, BOARD_GPA);
	set_reg(machine, UC_X86_REG_RIP, IMAGE_GPA);
	step_run(machine, STEP_NEVER, NULL);
	return !machine->wrong;
}

/* Of the words that the log is made of, whose place the guest has told. What
 * the guest has executed to tell it is thrown away: from Unicorn 2.1 on, code
 * that was translated before there was a hook goes on without it. */
static bool watch_writes(struct step_machine *machine)
{
	uint64_t gva = step_board(machine)->vcpu_gva;
	uc_hook hook;

	machine->watches =
		gva != 0 &&
		!uc_hook_add(machine->uc, &hook, UC_HOOK_MEM_WRITE,
	                     (union callback){.write = on_write}.pointer,
	                     machine, gva, gva + sizeof(struct gt_vcpu) - 1) &&
		!uc_ctl(machine->uc, UC_CTL_WRITE(UC_CTL_TB_FLUSH, 0));
	return machine->watches;
}

bool step_boot(struct step_machine *machine, const struct step_board *settings)
{
	if (!machine->watches &&
	    (!boot(machine, settings) || !watch_writes(machine)))
		return false;
	if (!boot(machine, settings))
		return false;
	machine->booted_count = machine->log_count;
	prepare_second(machine);
	copy_memory(machine, machine->kept, machine->ram);
	return true;
}

bool step_restart(struct step_machine *machine)
{
	forget(machine);
	copy_memory(machine, machine->ram, machine->kept);
	uc_context_restore(machine->uc, machine->second);
	uc_context_save(machine->uc, machine->other);
	uc_context_restore(machine->uc, machine->booted);
	return new_host(machine);
}
