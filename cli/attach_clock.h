/* SPDX-License-Identifier: MIT */
/* What the kernel tells of a VM's TSC. */
#ifndef GT_CLI_ATTACH_CLOCK_H
#define GT_CLI_ATTACH_CLOCK_H

#include <guesttrace/attach.h>

/*
 * Offset and scaling of the VM that the process has made, by KVM's directory in
 * debugfs, which root alone may read. False: it is not there, or its vCPUs
 * differ.
 */
bool attach_clock_of_kvm(int32_t pid, struct gt_attachment *attachment);

/* Of this machine, measured for some milliseconds. */
uint64_t attach_clock_hz(void);

#endif
