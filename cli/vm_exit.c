/* SPDX-License-Identifier: MIT */
#include "vm_exit.h"

static enum gt_exit_reason reason_of(enum vm_reason reason)
{
	switch (reason) {
	case VM_EXIT_IO:
		return GT_EXIT_IO;
	case VM_EXIT_MMIO:
		return GT_EXIT_MMIO;
	case VM_EXIT_HLT:
		return GT_EXIT_HALT;
	case VM_EXIT_SHUTDOWN:
		return GT_EXIT_SHUTDOWN;
	case VM_EXIT_EXCEPTION:
		return GT_EXIT_EXCEPTION;
	case VM_EXIT_INTERRUPTED:
		return GT_EXIT_INTERRUPTED;
	case VM_EXIT_TIMEOUT:
		return GT_EXIT_TIMEOUT;
	case VM_EXIT_ERROR:
		return GT_EXIT_ERROR;
	}
	return GT_EXIT_OTHER;
}

struct gt_exit exit_from_vm(const struct vm_exit *from)
{
	return (struct gt_exit){
		.size = sizeof(struct gt_exit),
		.reason = reason_of(from->reason),
		.port = from->port,
		.width_bytes = from->width,
		.out = from->write,
		.count = from->count,
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.cr0 = from->cr0,
		.cr3 = from->cr3,
		.cr4 = from->cr4,
		.efer = from->efer,
	};
}
