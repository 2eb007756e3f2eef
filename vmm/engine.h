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
	bool pending;    /* `event` is to be delivered */
	unsigned rewind; /* RIP is this far behind where it should be */
	struct vm__event event;
};

/* Writes what failed and why into vm->error; returns a negative errno code. */
int vm__engine_failed(struct vm *vm, const char *what, uc_err err);

/* engine_hlt.c: once all code is in place; again does nothing. */
uc_err vm__engine_hook_hlts(struct vm *vm);

#endif
