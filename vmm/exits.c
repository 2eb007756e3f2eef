/* SPDX-License-Identifier: MIT */
/*
 * What a VM exit means, whichever backend brings it: the console, the abort
 * protocol and the halt port of abi.h, and how a run ends.
 */
#include "vm_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int vm__fail(char error[VM_ERROR_BYTES], int code, const char *format, ...)
{
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error, VM_ERROR_BYTES, format, args);
		va_end(args);
	}
	return code;
}

static void print_line(struct vm *vm)
{
	size_t n = vm->line_n;

	vm->line_n = 0;
	if (n > 0 && vm->options.callbacks.print)
		vm->options.callbacks.print(vm->options.ctx, vm->line, n);
}

static void print_byte(struct vm *vm, unsigned char byte)
{
	vm->line[vm->line_n++] = (char)byte;
	if (byte == '\n' || vm->line_n == sizeof vm->line)
		print_line(vm);
}

static void end(struct vm *vm, enum vm_end how, const struct vm_exit *exit)
{
	vm->outcome.end = how;
	vm->outcome.rip_valid = exit->rip_valid;
	vm->outcome.rip = exit->rip_valid ? exit->rip : 0;
	vm->ended = true;
	print_line(vm);
}

static bool is_vector(unsigned char byte)
{
	return byte <= 20 || byte == 30;
}

static void end_abort(struct vm *vm, const struct vm_exit *exit)
{
	const struct vm__abort *abort = &vm->abort;
	struct vm_outcome *outcome = &vm->outcome;
	size_t at = abort->n > 0 ? 1 : 0;

	outcome->abort_code = at ? abort->bytes[0] : 0;
	if (abort->n > 1 && is_vector(abort->bytes[1]))
		outcome->vector = abort->bytes[at++];
	outcome->length = abort->n - at;
	memcpy(outcome->message, abort->bytes + at, outcome->length);
	outcome->message[outcome->length] = '\0';
	outcome->cut = abort->cut;
	end(vm, VM_ABORTED, exit);
}

static void take_abort(struct vm *vm, const struct vm_exit *exit,
                       uint64_t value)
{
	struct vm__abort *abort = &vm->abort;
	unsigned n = (unsigned)(value & 0xff);

	for (unsigned i = 1; i <= (n < 3 ? n : 3) && !vm->ended; i++) {
		unsigned char byte = (unsigned char)(value >> 8 * i);

		abort->cut =
			byte != GT_ABORT_END && abort->n == sizeof abort->bytes;
		if (byte == GT_ABORT_END || abort->cut)
			end_abort(vm, exit);
		else
			abort->bytes[abort->n++] = byte;
	}
}

/* One access of a possibly repeated OUT. */
static uint64_t access_at(const struct vm_exit *exit, const unsigned char *data,
                          uint32_t i)
{
	uint64_t value = 0;

	memcpy(&value, data + (size_t)i * exit->width, exit->width);
	return value;
}

static void take_print(struct vm *vm, const struct vm_exit *exit,
                       const unsigned char *data)
{
	for (uint32_t i = 0; i < exit->count; i++)
		print_byte(vm, data[(size_t)i * exit->width]);
}

static void take_io(struct vm *vm, const struct vm_exit *exit,
                    const unsigned char *data)
{
	if (!exit->write) {
		vm->outcome.ignored++;
		return;
	}
	switch (exit->port) {
	case GT_PORT_ABORT:
		for (uint32_t i = 0; i < exit->count && !vm->ended; i++)
			take_abort(vm, exit, access_at(exit, data, i));
		break;
	case GT_PORT_HALT:
		vm->outcome.status = (uint32_t)exit->value;
		end(vm, VM_HALTED, exit);
		break;
	case GT_PORT_PRINT: /* taken before the callback */
	case GT_PORT_LOG:
	case GT_PORT_CALL:
	case GT_PORT_TRACE:
		break;
	default:
		vm->outcome.ignored++;
	}
}

/* Counts and shows the exit; its meaning comes afterwards. */
static void show(struct vm *vm, struct vm_exit *exit)
{
	if (exit->registers_valid) {
		vm->last = *exit;
	} else {
		exit->cr0 = vm->last.cr0;
		exit->cr3 = vm->last.cr3;
		exit->cr4 = vm->last.cr4;
		exit->efer = vm->last.efer;
	}
	vm->outcome.exits++;
	if (vm->options.callbacks.exit)
		vm->options.callbacks.exit(vm->options.ctx, 0, exit);
}

void vm__enter(struct vm *vm)
{
	if (vm->options.callbacks.enter)
		vm->options.callbacks.enter(vm->options.ctx, 0);
}

void vm__exit(struct vm *vm, struct vm_exit *exit, const unsigned char *data)
{
	if (exit->reason == VM_EXIT_IO && exit->write) {
		exit->value = access_at(exit, data, 0);
		if (exit->port == GT_PORT_PRINT)
			take_print(vm, exit, data);
	}
	show(vm, exit);
	switch (exit->reason) {
	case VM_EXIT_IO:
		take_io(vm, exit, data);
		break;
	case VM_EXIT_MMIO:
		vm->outcome.ignored++;
		break;
	case VM_EXIT_HLT:
		end(vm, VM_HALTED, exit);
		break;
	case VM_EXIT_SHUTDOWN:
		end(vm, VM_SHUTDOWN, exit);
		break;
	default: /* the others come through the functions below */
		break;
	}
}

void vm__interrupted(struct vm *vm, struct vm_exit *exit)
{
	int stop = atomic_load(&vm->watchdog.stop);

	exit->reason = stop == VM__STOP_TIMEOUT ? VM_EXIT_TIMEOUT
	                                        : VM_EXIT_INTERRUPTED;
	show(vm, exit);
	if (stop == VM__STOP_TIMEOUT)
		end(vm, VM_TIMEOUT, exit);
	else if (stop == VM__STOP_KICK)
		end(vm, VM_INTERRUPTED, exit);
}

void vm__failed(struct vm *vm, struct vm_exit *exit, int code,
                const char *format, ...)
{
	struct vm_outcome *outcome = &vm->outcome;
	va_list args;

	if (exit->reason == 0)
		exit->reason = VM_EXIT_ERROR;
	show(vm, exit);
	va_start(args, format);
	vsnprintf(outcome->message, sizeof outcome->message, format, args);
	va_end(args);
	outcome->length = strlen(outcome->message);
	outcome->error = code;
	end(vm, VM_FAILED, exit);
}
