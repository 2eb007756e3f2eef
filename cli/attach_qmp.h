/* SPDX-License-Identifier: MIT */
/* What QEMU itself says of its guest, where its socket is named. */
#ifndef GT_CLI_ATTACH_QMP_H
#define GT_CLI_ATTACH_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attach_qmp {
	const char *path;   /* NULL: nobody is to be asked */
	uint64_t root;      /* CR3 of the vCPU that is looked at; 0: none */
	uint64_t low, high; /* where GPA 0 and GPA 4 GiB are in QEMU, or 0 */
	uint64_t bytes;     /* of all RAM that it began with; 0: not known */
	bool is_running;
};

/*
 * Asks anew. 0, or a negative errno with all as it was: -EPROTO and the others
 * of qmp.h. What it says is no more than a guess to be proven.
 */
int attach_qmp_ask(struct attach_qmp *qmp);

/* From the registers as its monitor prints them: a root in 64-bit mode. */
uint64_t attach_qmp_root(const char *text, size_t size);

/* From its answer to `gpa2hva`; 0: there is no memory. */
uint64_t attach_qmp_address(const char *text, size_t size);

/* The same as attach_qmp_ask(), and complains. */
int attach_qmp_begin(struct attach_qmp *qmp, const char *path);

#endif
