/* SPDX-License-Identifier: MIT */
/* An exit of vmm/ as the host library is told of it. */
#ifndef GT_CLI_VM_EXIT_H
#define GT_CLI_VM_EXIT_H

#include <guesttrace/host.h>
#include <vmm/vm.h>

/* All that the exit itself says: not how long it waited, nor of the TSC. */
struct gt_exit exit_from_vm(const struct vm_exit *from);

#endif
