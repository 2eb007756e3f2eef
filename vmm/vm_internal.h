/* SPDX-License-Identifier: MIT */
/*
 * What the files of the runner share: the VM itself, what a backend has to
 * offer, and what the core does with an exit that a backend brings.
 */
#ifndef VM_INTERNAL_H
#define VM_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "paging.h"
#include "vm.h"

/* Stops a vCPU; blocked in the thread that runs it, except inside KVM_RUN. */
#define VM__SIGNAL (SIGRTMIN + 4)

enum vm__stop {
	VM__STOP_NONE = 0,
	VM__STOP_KICK = 1,
	VM__STOP_TIMEOUT = 2,
};

/* How a vCPU starts; both backends report these control registers. */
struct vm__entry {
	uint64_t rip, rsp, rdi;
	uint64_t cr0, cr3, cr4, efer;
};

struct vm__watchdog {
	pthread_t thread;
	pthread_t guest_thread; /* the one in vm_run() */
	sigset_t mask_before;   /* of that thread */
	int wake_fd;            /* eventfd: somebody changed `stop` or `done` */
	atomic_int stop;        /* enum vm__stop; the first reason stays */
	atomic_bool done;       /* the guest has stopped: no more interrupts */
};

struct vm__abort {
	unsigned char bytes[GT_ABORT_BYTES_MAX];
	size_t n;
	bool cut;
};

struct vm {
	const struct vm__backend *backend;
	void *state; /* the backend's own */
	struct vm_options options;
	struct vm__space space;
	struct vm__entry entry;
	struct vm__watchdog watchdog;
	struct vm__abort abort;
	struct vm_outcome outcome;
	struct vm_exit last; /* to report registers that are gone */
	bool loaded, booted, has_run;
	bool ended; /* outcome is decided: the guest must not go on */
	char line[256];
	size_t line_n;
	char error[VM_ERROR_BYTES];
};

/*
 * A backend. `create` finds vm->space.ram mapped; whatever it fails at it
 * cleans up in `destroy`, which may find `state` NULL. `map` is NULL where the
 * page tables in guest memory are enough. `run` returns when vm->ended is set;
 * `interrupt` makes it notice vm->watchdog.stop, comes from the watchdog's
 * thread and is repeated until `run` is over.
 */
struct vm__backend {
	const char *name;
	unsigned capabilities;
	int (*usable)(char error[VM_ERROR_BYTES]);
	int (*create)(struct vm *vm);
	int (*map)(struct vm *vm, const struct vm__run *run);
	int (*prepare)(struct vm *vm);
	void (*run)(struct vm *vm);
	void (*interrupt)(struct vm *vm);
	int (*tsc)(struct vm *vm, int64_t *ret_offset, uint64_t *ret_khz);
	void (*destroy)(struct vm *vm);
};

extern const struct vm__backend vm__kvm;
#ifdef HAVE_EMULATED
extern const struct vm__backend vm__emulated;
#endif

/* Writes a line into `error` (NULL: nowhere) and returns `code`. */
__attribute__((format(printf, 3, 4))) int
vm__fail(char error[VM_ERROR_BYTES], int code, const char *format, ...);

/* Around each stretch of guest code: enter, then exit with what ended it. */
void vm__enter(struct vm *vm);
/*
 * Registers, counts, callbacks, then what the exit means. `data` holds
 * exit->count accesses of exit->width bytes for OUT, else it is NULL.
 * Afterwards vm->ended says whether the guest may go on.
 */
void vm__exit(struct vm *vm, struct vm_exit *exit, const unsigned char *data);
/* The vCPU was stopped by the watchdog: an exit and, if asked for, the end. */
void vm__interrupted(struct vm *vm, struct vm_exit *exit);
/* The hypervisor itself failed: the end. `code` is a negative errno. */
__attribute__((format(printf, 4, 5))) void vm__failed(struct vm *vm,
                                                      struct vm_exit *exit,
                                                      int code,
                                                      const char *format, ...);

/*
 * watchdog.c. From start to stop VM__SIGNAL is blocked in the calling thread;
 * what arrives of it meanwhile is thrown away.
 */
int vm__watchdog_init(struct vm__watchdog *dog);
void vm__watchdog_fini(struct vm__watchdog *dog);
int vm__watchdog_start(struct vm *vm);
void vm__watchdog_stop(struct vm *vm);
void vm__watchdog_bark(struct vm__watchdog *dog, enum vm__stop why);

#endif
