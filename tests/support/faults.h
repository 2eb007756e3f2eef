/* SPDX-License-Identifier: MIT */
/*
 * Calls that fail: the n-th of a kind fails once, is cut short, or ends the
 * process, as if it had been killed in front of it. To be linked with
 * faults_link.
 */
#ifndef GUESTTRACE_TESTS_FAULTS_H
#define GUESTTRACE_TESTS_FAULTS_H

enum fault_call {
	FAULT_ALLOCATION,
	FAULT_OPEN,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_FSYNC,
	FAULT_RENAME,
	FAULT_UNLINK,
	FAULT_TRUNCATE,
	FAULT_LOCK,
	FAULT_CALLS,
};

enum fault_kind {
	FAULT_NONE,
	FAULT_FAILS,
	FAULT_IS_CUT, /* a read or write: half of it */
	FAULT_KILLS,
};

/* From now on calls are counted from 0, and the `number`-th of these has it. */
void faults_begin(enum fault_call call, enum fault_kind kind,
                  unsigned long number);
/* Nothing fails any more; how many of them there were. */
unsigned long faults_end(enum fault_call call);

#endif
