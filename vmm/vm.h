/* SPDX-License-Identifier: MIT */
/*
 * A micro-VM that runs one freestanding ELF: on KVM, or on an emulator where
 * there is no KVM. It knows nothing of traces: whoever embeds it sees every VM
 * exit through a callback and the guest's memory through vm_memory().
 *
 * Conventions. Functions that can fail return 0 or a negative errno code, leave
 * their `ret_` outputs alone on failure, and put a readable line into the
 * buffer that vm_error() shows (vm_new(): into the caller's). Nothing here
 * prints or exits. Strings and structs that are passed in may be released when
 * the function returns, except the `ctx` of the callbacks. A VM belongs to one
 * thread at a time; only vm_kick() and vm_pause() may be called from any thread
 * and from a signal handler, and only before vm_free() begins. Different VMs
 * are independent. What comes out of a guest (registers, console, abort
 * message) is untrusted: escape it before it reaches a terminal.
 *
 * What a guest finds is written down at vm_boot(). Not here: devices,
 * interrupts but for a timer's, PIE guests.
 */
#ifndef GUESTTRACE_VM_H
#define GUESTTRACE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_ERROR_BYTES          256u
#define VM_MEMORY_BYTES_MIN     (UINT64_C(2) << 20)
#define VM_MEMORY_BYTES_MAX     (UINT64_C(64) << 30)
#define VM_MEMORY_BYTES_DEFAULT (UINT64_C(64) << 20)
#define VM_VCPUS_MAX            64u
#define VM_ARGS_BYTES_MAX       (64u << 10)  /* all arguments with their NULs */
#define VM_STACK_BYTES          (128u << 10) /* of each vCPU */
#define VM_TIMER_US_MIN         100u         /* a shorter period is this */
#define VM_ABORT_MESSAGE_BYTES  1025u        /* with its NUL */

struct vm;

enum vm_backend {
	VM_BACKEND_AUTO = 0, /* KVM where it is usable, else the emulator */
	VM_BACKEND_KVM = 1,
	VM_BACKEND_EMULATED = 2,
};

enum vm_capability {
	VM_HAS_TSC_RATE = 1,     /* vm_tsc() knows the frequency */
	VM_HAS_RIP_AT_IO = 2,    /* rip is valid in an exit for VM_EXIT_IO */
	VM_HAS_PAGING = 4,       /* the guest may replace its page tables */
	VM_HAS_VCPUS = 8,        /* up to VM_VCPUS_MAX of them */
	VM_HAS_TSC_OFFSET = 16,  /* vm_set_tsc() */
	VM_HAS_DOORBELL_FD = 32, /* vm_doorbell() */
};

/* Why the guest left. Exceptions that its own IDT takes are not exits. */
enum vm_reason {
	VM_EXIT_IO = 1,
	VM_EXIT_MMIO = 2,
	VM_EXIT_HLT = 3,
	VM_EXIT_SHUTDOWN = 4,    /* triple fault */
	VM_EXIT_EXCEPTION = 5,   /* the hypervisor hands an exception to us */
	VM_EXIT_INTERRUPTED = 6, /* vm_kick(), vm_pause(), another's end, the
	                            guest's timer, or a signal to this process */
	VM_EXIT_TIMEOUT = 7,
	VM_EXIT_ERROR = 8, /* the hypervisor could not go on */
};

/*
 * One VM exit. A private copy, taken once: nothing in it changes while the
 * callback looks at it. Where the hardware has wiped the registers (a triple
 * fault on AMD) cr0, cr3, cr4 and efer are those of the exit before, and the
 * flags say which of the others hold.
 */
struct vm_exit {
	enum vm_reason reason;
	uint16_t port;    /* IO */
	uint8_t width;    /* IO, MMIO: bytes of one access, 1 to 8 */
	bool write;       /* IO, MMIO: towards the host (OUT) */
	uint32_t count;   /* IO: accesses in this exit, 1 without REP */
	uint64_t value;   /* IO, MMIO: what was written (of REP: the first) */
	uint64_t address; /* MMIO: guest physical */
	bool registers_valid;
	bool rip_valid;
	uint64_t r8, r9, r10;
	uint64_t rip; /* IO: of the instruction or behind it */
	uint64_t cr0, cr3, cr4, efer;
	/*
	 * Paging is reported as on with either backend, and the tables lie in
	 * guest memory: one page walker serves both.
	 */
};

/* What a thread that vm_run() makes is for. */
enum vm_thread {
	VM_THREAD_VCPU = 0,
	VM_THREAD_WATCHDOG = 1,
};

/*
 * `enter` and `exit` are called on the thread of their vCPU: never at the same
 * time for one vCPU, but concurrently for several. Each `enter` is followed by
 * exactly one `exit`. `print` is called by any of these threads, one call at a time. They may call vm_kick(),
 * vm_pause(), vm_memory(), and, for their own vCPU, vm_tsc() and vm_set_tsc();
 * nothing else of this header. Any may be NULL.
 */
struct vm_callbacks {
	/* The guest is about to run. */
	void (*enter)(void *ctx, unsigned vcpu);
	/* The guest has left; it is stopped until this returns. */
	void (*exit)(void *ctx, unsigned vcpu, const struct vm_exit *exit);
	/*
	 * Console output, gathered per vCPU up to a newline, to 256 bytes, or
	 * to the end. Called before the `exit` of the exit that ended the line.
	 */
	void (*print)(void *ctx, const char *bytes, size_t n);
	/*
	 * A thread of vm_run()'s begins, and calls this before all else: it may
	 * give up what it has no need of. docs/security.md lists what a thread
	 * does from then on.
	 */
	void (*thread)(void *ctx, enum vm_thread which);
};

struct vm_options {
	size_t size; /* sizeof(struct vm_options) */
	enum vm_backend backend;
	unsigned vcpus;        /* 0 means 1; more want VM_HAS_VCPUS */
	uint64_t memory_bytes; /* 0 for the default; MIN to MAX, 4 KiB steps */
	uint64_t timeout_ns;   /* wall clock of one vm_run(), 0 for none */
	struct vm_callbacks callbacks;
	void *ctx; /* handed to the callbacks; must outlive the VM */
	/*
	 * RAM is the first memory_bytes of this file, shared: whoever else has
	 * it sees what the guest leaves. Such as a memfd, sealed so that it
	 * cannot shrink. The caller may close it when vm_new() has returned.
	 */
	bool has_memory_fd;
	int memory_fd;
};

/* What vm_boot() tells the guest; see struct gt_boot in abi.h. */
struct vm_boot {
	size_t size; /* sizeof(struct vm_boot) */
	unsigned argc;
	const char *const *argv; /* argv[0] is the guest's name */
	uint32_t wire;           /* enum gt_wire */
	uint32_t ring_mode;      /* enum gt_ring_mode */
};

/* The first vCPU to come to an end ends the whole run. */
enum vm_end {
	/* status: from port 108, or 0 after an hlt of every vCPU */
	VM_HALTED = 1,
	VM_ABORTED = 2,     /* abort_code, vector, message */
	VM_SHUTDOWN = 3,    /* triple fault */
	VM_TIMEOUT = 4,     /* timeout_ns is over */
	VM_INTERRUPTED = 5, /* vm_kick() */
	VM_FAILED = 6,      /* the VM itself: error, message */
	VM_PAUSED = 7,      /* vm_pause(): vm_run() goes on from here */
};

struct vm_outcome {
	enum vm_end end;
	uint32_t status;
	uint8_t abort_code;
	int vector;    /* x86 exception of an abort, or -1 */
	int error;     /* VM_FAILED: negative errno code, else 0 */
	bool cut;      /* the guest's abort message was longer */
	size_t length; /* of message; the guest's may hold NULs as well */
	char message[VM_ABORT_MESSAGE_BYTES]; /* NUL-terminated */
	unsigned vcpu;                        /* the one that ended the run */
	bool rip_valid;
	uint64_t rip;     /* where it stood then */
	/* Of an abort, as the guest says in r8 to r10: the frame pointer of
	 * what died, where that stood, its stack pointer. Not checked. */
	uint64_t frame_pointer, frame_rip, stack_pointer;
	uint64_t exits;   /* all VM exits of all vCPUs */
	uint64_t ignored; /* of those: to ports and addresses without meaning */
};

/*
 * Whether this backend can run here. Writes why not into `error` (NULL is
 * allowed). VM_BACKEND_AUTO asks for either. Opens and closes /dev/kvm; the
 * first time in a process that it opens, a guest of a few instructions shows
 * that KVM runs guests (some ms, up to 5 s if it never comes back), and that
 * answer holds for the process. vm_new() asks the same. Any thread.
 */
bool vm_backend_usable(enum vm_backend backend, char error[VM_ERROR_BYTES]);

/*
 * A new VM with its memory, not loaded yet. The caller owns *ret_vm and
 * releases it with vm_free(). Errors: -EINVAL (an option out of range),
 * -ENOTSUP (more vCPUs than the backend has, backend not built in), -ENOENT,
 * -EACCES, -ENODEV ... (no usable /dev/kvm), -ENOMEM. `error` may be NULL.
 */
int vm_new(struct vm **ret_vm, const struct vm_options *options,
           char error[VM_ERROR_BYTES]);

/* Releases a VM that is not running; NULL is allowed. Returns NULL. */
struct vm *vm_free(struct vm *vm);

/* The line that belongs to the last failure, "" before one. Owned by the VM. */
const char *vm_error(const struct vm *vm);

/* "kvm" or "emulated". */
const char *vm_backend_name(const struct vm *vm);

/* Sum of enum vm_capability. */
unsigned vm_capabilities(const struct vm *vm);

/*
 * Loads a static, non-PIE ELF64 for x86-64. Once per VM. The file is read once
 * and never mapped. Errors: those of open() and read(), -ENOEXEC (not an ELF,
 * another machine, malformed, truncated, a segment both writable and
 * executable), -ENOMEM (does not fit), -EBUSY (loaded before).
 */
int vm_load(struct vm *vm, const char *path);

/* The same from `n` bytes in memory, which are only read during the call. */
int vm_load_bytes(struct vm *vm, const void *bytes, size_t n);

/* Of the image that was loaded: its GNU build id in hex, "" if it has none. */
const char *vm_build_id(const struct vm *vm);

/*
 * Makes a loaded VM ready to run. Once per VM. Every vCPU starts at the ELF's
 * entry in 64-bit mode, CPL 0, interrupts off, no IDT, SSE on, as the System V
 * ABI for x86-64 has it (x87 control word 0x37f, MXCSR 0x1f80, an empty x87
 * stack, DF clear), with flat segments (cs 8, the others 16) of a GDT that is
 * not there, all other registers 0; as if called from address 0: rsp is 16n + 8
 * on a stack of its own, rdi = address of a struct gt_boot of its own, which
 * says which vCPU it is. They start together; the guest decides who waits for
 * whom. Its addresses are unlike the physical ones, nothing is both writable
 * and executable, page 0 and the pages around each stack are not mapped. On KVM
 * CPUID names what 64-bit programs use, and RDMSR and WRMSR reach the TSC (to be
 * read), PAT, EFER, the registers of SYSCALL and SYSENTER, the bases of FS and
 * GS, and TSC_AUX; others are a general protection fault.
 *
 * Each vCPU has a timer. An OUT of four bytes to GT_PORT_TIMER arms it: every so
 * many microseconds, VM_TIMER_US_MIN at least, interrupt 32 is due; 0 disarms
 * it. It is delivered when the vCPU takes interrupts (RFLAGS.IF), once, however
 * often it was due until then, and wants no acknowledgement. An hlt with
 * interrupts on and an armed timer waits for it. On the emulator it comes
 * between two basic blocks, and where interrupts were off it looks again every
 * 100 us. Each is a VM exit, VM_EXIT_INTERRUPTED; on KVM, where the guest had
 * interrupts off, another when they are on. Snapshots keep it.
 * Errors: -EINVAL (not loaded, arguments too long), -EBUSY (done before),
 * -ENOMEM.
 */
int vm_boot(struct vm *vm, const struct vm_boot *boot);

/*
 * Runs the guest until it ends, each vCPU on a thread of its own, while the
 * calling one waits. Once per VM, and again after each VM_PAUSED. Returns 0
 * with *ret_outcome filled whatever happened to the guest, VM_FAILED included;
 * negative only if nothing ran: -EINVAL (not booted), -EBUSY (has come to its
 * end), -EAGAIN, -ENOMEM (no thread). While it runs there is one more thread,
 * the watchdog; it and those of the vCPUs have all signals blocked, and on KVM
 * use SIGRTMIN + 4 among themselves. All of them are gone when it returns. An
 * hlt that no timer ends (see vm_boot()) stops its vCPU for good. The end is
 * seen at most 100 ms after timeout_ns or vm_kick(), plus the time that callbacks take.
 */
int vm_run(struct vm *vm, struct vm_outcome *ret_outcome);

/*
 * Ends the run as VM_INTERRUPTED, now or, before vm_run(), as soon as it is
 * called. Any thread, async-signal-safe, keeps errno, idempotent.
 */
void vm_kick(struct vm *vm);

/*
 * Stops the run without ending it, now or as soon as vm_run() is called: the
 * access that a vCPU is in the middle of is completed, then vm_run() returns
 * VM_PAUSED, unless the guest comes to its end before. Called in an `exit`, it
 * stops that vCPU right behind the instruction that left on KVM, and on the
 * emulator behind the end of its basic block. Any thread, async-signal-safe,
 * keeps errno, idempotent.
 */
void vm_pause(struct vm *vm);

/*
 * The guest's RAM, physical address 0 first, *ret_bytes long; unmapped pages
 * lie on both sides. Valid until vm_free(), also after the guest's death. The
 * guest writes there while it runs: read once, by copy.
 */
void *vm_memory(const struct vm *vm, uint64_t *ret_bytes);

/*
 * Where the guest that aborted had been called from, by frame pointers in its
 * memory: addresses behind the calls, the innermost first, at most `most` of
 * them. Returns how many; 0 where there are none, or frame_rip is not `rip`.
 * For a VM that does not run.
 *
 * If *ret_function is not 0, the first one is behind a call of that function,
 * and is a caller only if `rip` is in there: what died had no frame then.
 */
size_t vm_callers(const struct vm *vm, uint64_t rip, uint64_t *ret_addresses,
                  size_t most, uint64_t *ret_function);

/*
 * How the guest's TSC relates to the host's: guest = host + *ret_offset, and
 * its rate in kHz (0: not known; on the emulator it is the host's own).
 * 0 for every vCPU at the start. Current at the time of the call; on KVM two
 * system calls, which wait while the vCPU is running. Errors: -EINVAL (no such
 * vCPU), -errno of KVM.
 */
int vm_tsc(struct vm *vm, unsigned vcpu, int64_t *ret_offset,
           uint64_t *ret_khz);

/*
 * From now on the guest's TSC on this vCPU is the host's plus `offset` ticks,
 * modulo 2^64. Nobody else moves it: it is 0 until this is called, also over a
 * pause. For a vCPU that is not running, or in its own callback. Errors:
 * -EINVAL (no such vCPU), -ENOTSUP (no VM_HAS_TSC_OFFSET), -errno of KVM (Linux
 * before 5.16).
 */
int vm_set_tsc(struct vm *vm, unsigned vcpu, int64_t offset);

/*
 * Writes a VM that is booted or paused to `fd`, from its current offset on: RAM
 * but for pages of zeros, and all state of all vCPUs. The form is this
 * library's own; it holds for the same build and the same backend. The VM is
 * unchanged and may go on. Errors: -EINVAL (not booted, or at its end), -errno
 * of writing, of KVM; then what was written is no snapshot.
 */
int vm_save(struct vm *vm, int fd);

/* What a restored guest reads from its TSC. */
enum vm_tsc_after {
	VM_TSC_STAYS = 0, /* host + the offset that this VM has: a jump */
	VM_TSC_RESUMES =
		1, /* it goes on from where it was saved; offsets change */
};

/*
 * Turns a VM that is not running into the one that was saved, to be run from
 * there: a new one, one that is paused, or one that has ended. It needs the
 * same backend, number of vCPUs and memory; the file takes the place of
 * vm_load() and vm_boot(). Console, abort bytes and counts of exits are those
 * of the snapshot, a vm_kick() from before is forgotten. Reads from the current
 * offset of `fd` on, and may read past the snapshot's end. The file may be
 * hostile. Errors: -EINVAL (another kind of VM), -EBADMSG (no snapshot, or a
 * damaged one), -ENOTSUP (RESUMES without VM_HAS_TSC_OFFSET), -ENOMEM, -errno
 * of reading, of KVM. Where more than the head of the file was read, the VM can
 * then only be freed or be restored again.
 */
int vm_restore(struct vm *vm, int fd, enum vm_tsc_after tsc);

/*
 * A doorbell that does not stop the guest for long: an OUT of one byte `value`
 * to GT_PORT_TRACE adds 1 to `eventfd` inside the kernel, and the vCPU goes on.
 * Such an access is then no exit, is not counted, and its registers reach
 * nobody; other values leave as ever. For a VM that is not running; the caller
 * may close its `eventfd` at any time. Errors: -ENOTSUP (no VM_HAS_DOORBELL_FD:
 * the access stays an exit), -EEXIST (there is one for this value), -EBADF,
 * -EINVAL (no eventfd).
 */
int vm_doorbell(struct vm *vm, int eventfd, uint8_t value);

#endif
