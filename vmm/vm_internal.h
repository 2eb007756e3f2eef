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

#include "elf_image.h"
#include "paging.h"
#include "timer.h"
#include "vm.h"

/* Stops a vCPU; blocked in the threads of a run, except inside KVM_RUN. */
#define VM__SIGNAL (SIGRTMIN + 4)

#define VM__LINE_BYTES 256u

enum vm__stop {
	VM__STOP_NONE = 0,
	VM__STOP_PAUSE = 1,
	VM__STOP_KICK = 2,
	VM__STOP_TIMEOUT = 3,
	VM__STOP_ENDED = 4, /* another vCPU has ended the run */
};

/* How a vCPU starts; both backends report these control registers. */
struct vm__entry {
	uint64_t rip, rsp, rdi;
	uint64_t cr0, cr3, cr4, efer;
};

struct vm__watchdog {
	pthread_t thread;
	int wake_fd;     /* eventfd: somebody changed `stop` or `inside` */
	atomic_int stop; /* enum vm__stop; what follows a pause wins, else the
	                    first */
	atomic_uint inside; /* vCPUs that have not stopped yet */
};

struct vm__abort {
	unsigned char bytes[GT_ABORT_BYTES_MAX];
	size_t n;
	bool cut;
};

/* Touched by the thread that runs it alone, unless said otherwise. */
struct vm__vcpu {
	struct vm *vm;
	unsigned index;
	pthread_t thread; /* the watchdog's way to it */
	struct vm__entry entry;
	struct vm__abort abort;
	struct vm_exit last; /* to report registers that are gone */
	bool halted;         /* by a plain hlt: it never goes on */
	bool paused;         /* until the next vm_run() */
	uint64_t exits, ignored;
	struct vm__timer timer;
	char line[VM__LINE_BYTES]; /* console */
	size_t line_n;
};

struct vm {
	const struct vm__backend *backend;
	void *state; /* the backend's own */
	struct vm_options options;
	struct vm__space space;
	struct vm__vcpu *vcpus; /* options.vcpus of them */
	uint64_t entry_gva;     /* of the image; 0: none is loaded */
	char build_id[2 * VM__BUILD_ID_MAX + 1]; /* of the image, in hex */
	struct vm__watchdog watchdog;
	pthread_mutex_t console; /* one `print` at a time */
	pthread_mutex_t gate;    /* held until all threads are there */
	bool called_off;         /* under `gate`: they are not */
	atomic_uint halted;      /* vCPUs */
	atomic_bool ended;       /* who sets it decides on `outcome` */
	struct vm_outcome outcome;
	struct vm__run *runs; /* all mappings, in their order */
	size_t run_count;
	bool loaded;
	bool booted; /* or restored */
	bool over;   /* it has come to its end, or can never run */
	char error[VM_ERROR_BYTES];
};

/* The vCPU must not go on. */
static inline bool vm__over(struct vm__vcpu *vcpu)
{
	return vcpu->halted || vcpu->paused || atomic_load(&vcpu->vm->ended);
}

/* Whoever runs a vCPU shall stop it; vm__interrupted() says for how long. */
static inline bool vm__stopping(struct vm *vm)
{
	return atomic_load(&vm->watchdog.stop) != VM__STOP_NONE;
}

/*
 * A backend. `create` finds vm->space.ram mapped and vm->vcpus filled; whatever
 * it fails at it cleans up in `destroy`, which may find `state` NULL. `map` is
 * NULL where the page tables in guest memory are enough. `prepare` gives a vCPU
 * its entry state. `run` is called once per vCPU, each on a thread of its own,
 * and returns when vm__over() says so; `interrupt` makes it notice
 * vm->watchdog.stop, comes from the watchdog's thread and is repeated until
 * every `run` is over.
 */
struct vm__backend {
	const char *name;
	unsigned capabilities;
	unsigned vcpus_max;
	int (*create)(struct vm *vm);
	int (*map)(struct vm *vm, const struct vm__run *run);
	int (*prepare)(struct vm__vcpu *vcpu);
	void (*run)(struct vm__vcpu *vcpu);
	void (*interrupt)(struct vm__vcpu *vcpu);
	int (*tsc)(struct vm__vcpu *vcpu, int64_t *ret_offset,
	           uint64_t *ret_khz);
	/* NULL where there is no such thing. */
	int (*set_tsc)(struct vm__vcpu *vcpu, int64_t offset);
	int (*doorbell)(struct vm *vm, int eventfd, uint8_t value);
	/*
	 * Of snapshots. `save` fills `state_bytes` of a stopped vCPU; after
	 * `reset`, which finds RAM and vm->runs in place, `restore` takes them,
	 * from whomever they are.
	 */
	size_t state_bytes;
	int (*save)(struct vm__vcpu *vcpu, void *state);
	int (*reset)(struct vm *vm);
	int (*restore)(struct vm__vcpu *vcpu, const void *state);
	void (*destroy)(struct vm *vm);
};

/* With each, whether it can run here: 0, or negative and why not. */
extern const struct vm__backend vm__kvm;
int vm__kvm_usable(char error[VM_ERROR_BYTES]);
#ifdef HAVE_EMULATED
extern const struct vm__backend vm__emulated;
int vm__emulated_usable(char error[VM_ERROR_BYTES]);
#endif

/* vm_new() on a backend that is picked already, with options that are valid. */
int vm__new_on(struct vm **ret_vm, const struct vm__backend *backend,
               const struct vm_options *options, char error[VM_ERROR_BYTES]);

/* Writes a line into `error` (NULL: nowhere) and returns `code`. */
__attribute__((format(printf, 3, 4))) int
vm__fail(char error[VM_ERROR_BYTES], int code, const char *format, ...);

/* Around each stretch of guest code: enter, then exit with what ended it. */
void vm__enter(struct vm__vcpu *vcpu);
/* What a thread of a run does first. */
static inline void vm__thread_begins(const struct vm *vm, enum vm_thread which)
{
	if (vm->options.callbacks.thread)
		vm->options.callbacks.thread(vm->options.ctx, which);
}
/*
 * Registers, counts, callbacks, then what the exit means. `data` holds
 * exit->count accesses of exit->width bytes for OUT, else it is NULL.
 * Afterwards vm__over() says whether the vCPU may go on.
 */
void vm__exit(struct vm__vcpu *vcpu, struct vm_exit *exit,
              const unsigned char *data);
/* The vCPU was stopped by the watchdog: an exit and, if asked for, the end. */
void vm__interrupted(struct vm__vcpu *vcpu, struct vm_exit *exit);
/* The hypervisor itself failed: the end. `code` is a negative errno. */
__attribute__((format(printf, 4, 5))) void vm__failed(struct vm__vcpu *vcpu,
                                                      struct vm_exit *exit,
                                                      int code,
                                                      const char *format, ...);
uint64_t vm__now_ns(void); /* CLOCK_MONOTONIC */
/* Shows what is left of a console line. */
void vm__flush_line(struct vm__vcpu *vcpu);

/*
 * watchdog.c. From start on it interrupts vCPUs when there is a reason to,
 * until vm__watchdog_left() was called once for each of them; join waits for
 * that.
 */
int vm__watchdog_init(struct vm__watchdog *dog);
void vm__watchdog_fini(struct vm__watchdog *dog);
int vm__watchdog_start(struct vm *vm);
void vm__watchdog_left(struct vm__watchdog *dog);
void vm__watchdog_join(struct vm__watchdog *dog);
/* Has it look when it is next needed. Any thread, likewise. */
void vm__watchdog_look(struct vm__watchdog *dog);
/* Any thread, async-signal-safe, keeps errno. */
void vm__watchdog_bark(struct vm__watchdog *dog, enum vm__stop why);

#endif
