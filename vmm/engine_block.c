/* SPDX-License-Identifier: MIT */
/*
 * Each basic block has a hook once the guest has armed a timer. The emulator
 * does not know where it is at a block's beginning: blocks are chained. Telling
 * it where that is makes it begin the block anew, and a stop there is exact.
 */
#include "engine.h"

/* uc_hook_add() takes functions as void *, which ISO C does not have. */
union callback {
	void (*code)(uc_engine *, uint64_t, uint32_t, void *);
	void *pointer;
};

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *ctx)
{
	struct vm__engine *engine = ctx;
	int asked = atomic_load_explicit(&engine->asked, memory_order_relaxed);

	(void)size;
	if (asked == VM__ASK_STOP) {
		atomic_store(&engine->asked, VM__ASK_PLACED);
		uc_reg_write(uc, UC_X86_REG_RIP, &address);
	} else if (asked == VM__ASK_PLACED) {
		atomic_store(&engine->asked, VM__ASK_NOTHING);
		uc_emu_stop(uc);
	}
}

/* Blocks that have been translated before do not call it. */
uc_err vm__engine_hook_blocks(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	union callback callback = {.code = on_block};
	uc_hook hook;
	uc_err err;

	if (engine->blocks_hooked)
		return UC_ERR_OK;
	err = uc_hook_add(engine->uc, &hook, UC_HOOK_BLOCK, callback.pointer,
	                  engine, 1, 0);
	for (size_t i = 0; i < vm->run_count && !err; i++)
		if (vm->runs[i].prot & VM__EXECUTE)
			err = uc_ctl_remove_cache(engine->uc, vm->runs[i].gva,
			                          vm->runs[i].gva +
			                                  vm->runs[i].bytes);
	engine->blocks_hooked = !err;
	return err;
}

/* What has to stop and was asked before stops at any price. */
void vm__engine_interrupt(struct vm__vcpu *vcpu)
{
	struct vm__engine *engine = vcpu->vm->state;
	int nothing = VM__ASK_NOTHING;
	bool is_new = atomic_compare_exchange_strong(&engine->asked, &nothing,
	                                             VM__ASK_STOP);

	if (vm__stopping(vcpu->vm) &&
	    !(is_new && atomic_load(&engine->blocks_hooked)))
		uc_emu_stop(engine->uc);
}
