/* SPDX-License-Identifier: MIT */
/*
 * For the tests of the runner: runs tests/guests/behave.c once and keeps what
 * the host saw. The environment sets the pace: VM_TEST_SLACK_MS is how late a
 * watchdog may be (default 100), VM_TEST_REQUIRE names a backend ("kvm",
 * "emulated") whose absence is a failure and not a skipped test, VM_TEST_ONLY
 * the only one to test;
 * VM_TEST_SWEEP is the step in a walk over all ports, VM_TEST_CHANGES how many
 * ways to spoil a snapshot are tried.
 */
#ifndef VM_FIXTURE_H
#define VM_FIXTURE_H

#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SEEN_EXITS      256u
#define SEEN_TEXT_BYTES 4096u

struct seen {
	struct vm *vm;           /* while it runs */
	_Atomic uint64_t enters; /* other threads wait for the first */
	uint64_t exits;
	bool inside, unpaired; /* an enter without its exit, or the reverse */
	bool kick_at_first;    /* the callback ends the run */
	uint64_t tsc_in;       /* host's clock at the last enter */
	uint64_t tsc_out[SEEN_EXITS];
	uint64_t tsc_entered[SEEN_EXITS];
	struct vm_exit exit[SEEN_EXITS]; /* the first ones */
	struct vm_exit last;
	char text[SEEN_TEXT_BYTES];
	size_t text_n;
	unsigned prints; /* calls */
};

struct plan {
	enum vm_backend backend;
	uint64_t memory_bytes; /* 0: a small VM */
	uint64_t timeout_ns;   /* 0: long enough for any emulation */
	const char *behaviour, *number;
	void (*before_run)(struct vm *vm, void *ctx);
	void *ctx;
};

/* Set by main(). */
extern const char *fixture_guest;

uint64_t fixture_now_ns(void);
uint64_t fixture_slack_ns(void);

/* A VM with the guest loaded and booted; asserts that each step works. */
struct vm *fixture_vm(const struct plan *plan, struct seen *seen);

/* The same, run to its end and freed. Returns how long vm_run() took, ns. */
uint64_t fixture_run(const struct plan *plan, struct seen *seen,
                     struct vm_outcome *ret_outcome);

/*
 * Runs all tests once per backend; each finds its enum vm_backend in *state.
 * A backend that is not there is one skipped test. 0, 1, or 77 without any.
 */
int fixture_main(const struct CMUnitTest *tests, size_t n);

#endif
