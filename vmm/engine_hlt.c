/* SPDX-License-Identifier: MIT */
/*
 * Tells an `hlt` of the emulated guest from a stop that somebody asked for: a
 * hook at each byte of code that could be one. It is called only where an
 * instruction begins there, so that it is one.
 */
#include "engine.h"

#include <string.h>

#define HLT 0xf4

/* uc_hook_add() takes functions as void *, which ISO C does not have. */
union callback {
	void (*code)(uc_engine *, uint64_t, uint32_t, void *);
	void *pointer;
};

static void on_hlt(uc_engine *uc, uint64_t address, uint32_t size, void *ctx)
{
	struct vm__engine *engine = ctx;

	(void)uc, (void)address, (void)size;
	engine->hlt = true;
}

static uc_err hook_run(struct vm__engine *engine, const unsigned char *bytes,
                       const struct vm__run *run)
{
	union callback callback = {.code = on_hlt};
	const unsigned char *end = bytes + run->bytes;
	uc_err err = UC_ERR_OK;

	for (const unsigned char *at = bytes;
	     !err && (at = memchr(at, HLT, (size_t)(end - at))); at++) {
		uint64_t gva = run->gva + (uint64_t)(at - bytes);
		uc_hook hook;

		err = uc_hook_add(engine->uc, &hook, UC_HOOK_CODE,
		                  callback.pointer, engine, gva, gva);
	}
	return err;
}

/* Code cannot be written to: one look, when all is loaded, is enough. */
uc_err vm__engine_hook_hlts(struct vm *vm)
{
	struct vm__engine *engine = vm->state;
	uc_err err = UC_ERR_OK;

	if (engine->hlts_hooked)
		return UC_ERR_OK;
	engine->hlts_hooked = true;
	for (size_t i = 0; i < vm->run_count && !err; i++)
		if (vm->runs[i].prot & VM__EXECUTE)
			err = hook_run(engine, vm->space.ram + vm->runs[i].gpa,
			               &vm->runs[i]);
	return err;
}
