/* SPDX-License-Identifier: MIT */
/*
 * What the files of the emulated backend share.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "interrupt.h"
#include "vm_internal.h"

#include <unicorn/unicorn.h>

struct vm__engine {
	uc_engine *uc;
	bool hlts_hooked;
	bool hlt;        /* the instruction that is being executed */
	atomic_bool blocks_hooked;
	atomic_int asked; /* enum vm__engine_ask; any thread */
	bool woken;      /* from an `hlt`, by a tick that it has not got yet */
	bool pending;    /* `event` is to be delivered */
	unsigned rewind; /* RIP is this far behind where it should be */
	struct vm__event event;
};

/* Writes what failed and why into vm->error; returns a negative errno code. */
int vm__engine_failed(struct vm *vm, const char *what, uc_err err);

#define VM__ENGINE_REGISTERS      68u
#define VM__ENGINE_REGISTER_BYTES 32u
#define VM__ENGINE_MSRS           11u

/* In a snapshot, too. */
struct vm__engine_state {
	unsigned char reg[VM__ENGINE_REGISTERS][VM__ENGINE_REGISTER_BYTES];
	uint64_t msr[VM__ENGINE_MSRS];
};

/* engine_state.c; `state` is a struct vm__engine_state. */
int vm__engine_save(struct vm__vcpu *vcpu, void *state);
int vm__engine_restore(struct vm__vcpu *vcpu, const void *state);

/* engine_cpu.c; `before`: as it was read. */
struct vm__cpu vm__engine_cpu(uc_engine *uc);
uc_err vm__engine_set_cpu(uc_engine *uc, const struct vm__cpu *before,
                          struct vm__cpu *cpu);
/* Whether interrupts are on; whether a tick may come at `rip`, too. */
bool vm__engine_is_open(uc_engine *uc);
bool vm__engine_takes_tick(struct vm *vm, uint64_t rip);

/* engine_entry.c: of a new engine, before any memory is mapped, and of a vCPU.
 */
#define VM__CR0_PG UINT64_C(0x80000000)
uc_err vm__engine_segments(uc_engine *uc);
uc_err vm__engine_enter(uc_engine *uc, const struct vm__entry *entry);

/*
 * engine_block.c: a stop at a basic block that is exact, for a guest that goes on
 * afterwards. Of uc_emu_stop() RIP is that of some instruction before, which
 * would be executed again. Once it is hooked; any thread asks.
 */
enum vm__engine_ask {
	VM__ASK_NOTHING = 0,
	VM__ASK_STOP = 1,
	VM__ASK_PLACED = 2, /* RIP is right, and the same block begins again */
};
uc_err vm__engine_hook_blocks(struct vm *vm);
void vm__engine_interrupt(struct vm__vcpu *vcpu); /* of struct vm__backend */

/* engine_hlt.c: once all code is in place; again does nothing. */
uc_err vm__engine_hook_hlts(struct vm *vm);

#endif
