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

void vm__flush_line(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	size_t n = vcpu->line_n;

	vcpu->line_n = 0;
	if (n == 0 || !vm->options.callbacks.print)
		return;
	pthread_mutex_lock(&vm->console);
	vm->options.callbacks.print(vm->options.ctx, vcpu->line, n);
	pthread_mutex_unlock(&vm->console);
}

static void print_byte(struct vm__vcpu *vcpu, unsigned char byte)
{
	vcpu->line[vcpu->line_n++] = (char)byte;
	if (byte == '\n' || vcpu->line_n == sizeof vcpu->line)
		vm__flush_line(vcpu);
}

/*
 * Ends the run, unless another vCPU has: then false, and the outcome is that
 * one's. What the caller adds to it is seen once all vCPUs have stopped.
 */
static bool end(struct vm__vcpu *vcpu, enum vm_end how,
                const struct vm_exit *exit)
{
	struct vm *vm = vcpu->vm;

	if (atomic_exchange(&vm->ended, true))
		return false;
	vm->outcome.end = how;
	vm->outcome.vcpu = vcpu->index;
	vm->outcome.rip_valid = exit->rip_valid;
	vm->outcome.rip = exit->rip_valid ? exit->rip : 0;
	if (vm->options.vcpus > 1)
		vm__watchdog_bark(&vm->watchdog, VM__STOP_ENDED);
	return true;
}

/*
 * An hlt that only the vCPU's own timer can end; or else a plain one: nothing
 * can wake the vCPU, and the last one ends the run.
 */
static void halt(struct vm__vcpu *vcpu, const struct vm_exit *exit)
{
	struct vm *vm = vcpu->vm;

	if (vcpu->timer.period_ns && vcpu->timer.open) {
		vcpu->timer.asleep = true;
		return;
	}
	vm__timer_arm(vcpu, 0);
	vcpu->halted = true;
	if (atomic_fetch_add(&vm->halted, 1) + 1 == vm->options.vcpus)
		end(vcpu, VM_HALTED, exit);
}

static bool is_vector(unsigned char byte)
{
	return byte <= 20 || byte == 30;
}

static void end_abort(struct vm__vcpu *vcpu, const struct vm_exit *exit)
{
	const struct vm__abort *abort = &vcpu->abort;
	struct vm_outcome *outcome = &vcpu->vm->outcome;
	size_t at = abort->n > 0 ? 1 : 0;

	if (!end(vcpu, VM_ABORTED, exit))
		return;
	outcome->abort_code = at ? abort->bytes[0] : 0;
	if (abort->n > 1 && is_vector(abort->bytes[1]))
		outcome->vector = abort->bytes[at++];
	outcome->length = abort->n - at;
	memcpy(outcome->message, abort->bytes + at, outcome->length);
	outcome->message[outcome->length] = '\0';
	outcome->cut = abort->cut;
	outcome->frame_pointer = exit->registers_valid ? exit->r8 : 0;
	outcome->frame_rip = exit->registers_valid ? exit->r9 : 0;
	outcome->stack_pointer = exit->registers_valid ? exit->r10 : 0;
}

static void take_abort(struct vm__vcpu *vcpu, const struct vm_exit *exit,
                       uint64_t value)
{
	struct vm__abort *abort = &vcpu->abort;
	unsigned n = (unsigned)(value & 0xff);

	for (unsigned i = 1; i <= (n < 3 ? n : 3) && !vm__over(vcpu); i++) {
		unsigned char byte = (unsigned char)(value >> 8 * i);

		abort->cut =
			byte != GT_ABORT_END && abort->n == sizeof abort->bytes;
		if (byte == GT_ABORT_END || abort->cut)
			end_abort(vcpu, exit);
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

static void take_print(struct vm__vcpu *vcpu, const struct vm_exit *exit,
                       const unsigned char *data)
{
	for (uint32_t i = 0; i < exit->count; i++)
		print_byte(vcpu, data[(size_t)i * exit->width]);
}

static void take_io(struct vm__vcpu *vcpu, const struct vm_exit *exit,
                    const unsigned char *data)
{
	if (!exit->write) {
		vcpu->ignored++;
		return;
	}
	switch (exit->port) {
	case GT_PORT_ABORT:
		for (uint32_t i = 0; i < exit->count && !vm__over(vcpu); i++)
			take_abort(vcpu, exit, access_at(exit, data, i));
		break;
	case GT_PORT_HALT:
		if (end(vcpu, VM_HALTED, exit))
			vcpu->vm->outcome.status = (uint32_t)exit->value;
		break;
	case GT_PORT_TIMER:
		if (exit->width == 4 && exit->count == 1)
			vm__timer_arm(vcpu, (uint32_t)exit->value);
		else
			vcpu->ignored++;
		break;
	case GT_PORT_PRINT: /* taken before the callback */
	case GT_PORT_LOG:
	case GT_PORT_CALL:
	case GT_PORT_TRACE:
		break;
	default:
		vcpu->ignored++;
	}
}

/* Counts and shows the exit; its meaning comes afterwards. */
static void show(struct vm__vcpu *vcpu, struct vm_exit *exit)
{
	struct vm *vm = vcpu->vm;

	if (exit->registers_valid) {
		vcpu->last = *exit;
	} else {
		exit->cr0 = vcpu->last.cr0;
		exit->cr3 = vcpu->last.cr3;
		exit->cr4 = vcpu->last.cr4;
		exit->efer = vcpu->last.efer;
	}
	vcpu->exits++;
	if (vm->options.callbacks.exit)
		vm->options.callbacks.exit(vm->options.ctx, vcpu->index, exit);
}

void vm__enter(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (vm->options.callbacks.enter)
		vm->options.callbacks.enter(vm->options.ctx, vcpu->index);
}

void vm__exit(struct vm__vcpu *vcpu, struct vm_exit *exit,
              const unsigned char *data)
{
	if (exit->reason == VM_EXIT_IO && exit->write) {
		exit->value = access_at(exit, data, 0);
		if (exit->port == GT_PORT_PRINT)
			take_print(vcpu, exit, data);
	}
	show(vcpu, exit);
	switch (exit->reason) {
	case VM_EXIT_IO:
		take_io(vcpu, exit, data);
		break;
	case VM_EXIT_MMIO:
		vcpu->ignored++;
		break;
	case VM_EXIT_HLT:
		halt(vcpu, exit);
		break;
	case VM_EXIT_SHUTDOWN:
		end(vcpu, VM_SHUTDOWN, exit);
		break;
	default: /* the others come through the functions below */
		break;
	}
}

void vm__interrupted(struct vm__vcpu *vcpu, struct vm_exit *exit)
{
	int stop = atomic_load(&vcpu->vm->watchdog.stop);

	exit->reason = stop == VM__STOP_TIMEOUT ? VM_EXIT_TIMEOUT
	                                        : VM_EXIT_INTERRUPTED;
	show(vcpu, exit);
	if (stop == VM__STOP_TIMEOUT)
		end(vcpu, VM_TIMEOUT, exit);
	else if (stop == VM__STOP_KICK)
		end(vcpu, VM_INTERRUPTED, exit);
	else if (stop == VM__STOP_PAUSE)
		vcpu->paused = true;
}

void vm__failed(struct vm__vcpu *vcpu, struct vm_exit *exit, int code,
                const char *format, ...)
{
	struct vm_outcome *outcome = &vcpu->vm->outcome;
	va_list args;

	if (exit->reason == 0)
		exit->reason = VM_EXIT_ERROR;
	show(vcpu, exit);
	if (!end(vcpu, VM_FAILED, exit))
		return;
	va_start(args, format);
	vsnprintf(outcome->message, sizeof outcome->message, format, args);
	va_end(args);
	outcome->length = strlen(outcome->message);
	outcome->error = code;
}
