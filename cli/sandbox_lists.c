/* SPDX-License-Identifier: MIT */
/* The lists of docs/security.md: each call with what it is for. */
#include "sandbox_lists.h"

#include <errno.h>
#include <asm/ioctls.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/syscall.h>

/* Running, and reading the offset of the TSC; the rest is of older kernels. */
static const uint32_t of_kvm[] = {
	KVM_RUN,      KVM_SET_SIGNAL_MASK, KVM_GET_DEVICE_ATTR,
	KVM_GET_MSRS, KVM_GET_REGS,        KVM_GET_SREGS,
	KVM_INTERRUPT, /* the guest's timer */
};

/* Memory grows by copying where it could be moved; what it shows is the same.
 */
#define NO_MREMAP  {.number = SYS_mremap, .error = ENOSYS}
/* Threads begin by clone() then, as they do where a container has no clone3. */
#define NO_CLONE3                                     \
	{                                             \
		.number = SYS_clone3, .error = ENOSYS \
	}
/* Of a thread's stack, at its end: to give it back early. */
#define NO_MADVISE {.number = SYS_madvise, .error = ENOSYS}

#define MEMORY {.number = SYS_brk}, {.number = SYS_mmap}, {.number = SYS_munmap}
#define END    {.number = SYS_rt_sigprocmask}, {.number = SYS_exit}

static const struct system_call of_vcpu[] = {
	{.number = SYS_ioctl,
         .values = of_kvm,
         .value_count = sizeof(of_kvm) / sizeof(of_kvm[0])},
	{.number = SYS_futex},    /* the host's lock */
	{.number = SYS_write},    /* files, wake-ups */
	{.number = SYS_pread64},  /* how long this thread waited for a CPU */
	{.number = SYS_clock_gettime}, /* where the kernel does not lend it */
	{.number = SYS_rt_sigtimedwait}, /* what stopped it for a tick */
	MEMORY,
	END,
	NO_MREMAP,
	NO_MADVISE,
};

static const struct system_call of_decoding[] = {
	{.number = SYS_futex},
	{.number = SYS_write},
	{.number = SYS_ppoll},
	{.number = SYS_read}, /* the guest's doorbell */
	{.number = SYS_clock_gettime},
	MEMORY,
	END,
	NO_MREMAP,
	NO_MADVISE,
};

static const struct system_call of_outputs[] = {
	{.number = SYS_futex},
	{.number = SYS_write},
	{.number = SYS_ppoll},
	{.number = SYS_clock_gettime},
	END,
	NO_MADVISE,
};

static const struct system_call of_watchdog[] = {
	{.number = SYS_futex}, /* of a thread that ends just now */
	{.number = SYS_ppoll},
	{.number = SYS_read},
	{.number = SYS_clock_gettime},
	{.number = SYS_getpid},
	{.number = SYS_tgkill}, /* out of KVM_RUN */
	END,
	NO_MADVISE,
};

/*
 * Of all other threads, and of all of them before they say what they are. That
 * is what it takes to begin a thread, to open an output, and to end.
 */
static const struct system_call of_process[] = {
	/* Memory, threads. */
	MEMORY,
	NO_MREMAP,
	NO_MADVISE,
	{.number = SYS_mprotect}, /* below a stack */
	{.number = SYS_clone},
	NO_CLONE3,
	{.number = SYS_set_robust_list},
	{.number = SYS_rseq},
	{.number = SYS_seccomp},
	{.number = SYS_futex},
	{.number = SYS_exit},
	{.number = SYS_exit_group},
	/* Signals: the run is interrupted, a snapshot is asked for. */
	{.number = SYS_rt_sigaction},
	{.number = SYS_rt_sigprocmask},
	{.number = SYS_rt_sigreturn},
	{.number = SYS_rt_sigtimedwait},
	{.number = SYS_getpid},
	{.number = SYS_gettid},
	{.number = SYS_tgkill},
	/* Outputs: opened, whole, in place of what was there, or removed. */
	{.number = SYS_openat},
	{.number = SYS_read},
	{.number = SYS_pread64},
	{.number = SYS_write},
	{.number = SYS_ppoll},
	{.number = SYS_close},
	{.number = SYS_newfstatat},
	{.number = SYS_fstat}, /* glibc from 2.39 on */
	{.number = SYS_readlink},
	{.number = SYS_fchmod},
	{.number = SYS_renameat},
	{.number = SYS_unlinkat},
	/* KVM, and whether a file is a terminal. */
	{.number = SYS_ioctl},
	{.number = SYS_getrandom},
	{.number = SYS_clock_gettime},
};

/* Beside it, of a capture: locked, emptied, and shared with its keeper. */
static const struct system_call of_capture[] = {
	{.number = SYS_fcntl},
	{.number = SYS_ftruncate},
	{.number = SYS_sendmsg},
	{.number = SYS_wait4},
};

/* Beside it, of an output of several files. */
static const struct system_call of_directories[] = {
	{.number = SYS_fcntl},
	{.number = SYS_ftruncate},
	{.number = SYS_mkdir},
	{.number = SYS_getdents64},
};

/* Whether a stream is a terminal, how wide, and that it is as it was before. */
#define TCGETS2_NUMBER UINT32_C(0x802c542a) /* glibc from 2.42 on */
#define TCSETS2_NUMBER UINT32_C(0x402c542b)
static const uint32_t of_terminals[] = {TCGETS, TCGETS2_NUMBER, TCSETS,
                                        TCSETS2_NUMBER, TIOCGWINSZ};

/*
 * Of a command that reads what somebody else may have made, and prints: one
 * thread.
 */
static const struct system_call of_reading[] = {
	MEMORY,
	{.number = SYS_mremap}, /* of large tables: no guest runs beside it */
	NO_MADVISE,
	{.number = SYS_exit_group},
	{.number = SYS_openat},
	{.number = SYS_read},
	{.number = SYS_pread64},
	{.number = SYS_lseek},
	{.number = SYS_close},
	{.number = SYS_newfstatat},
	{.number = SYS_fstat},        /* glibc from 2.39 on */
	{.number = SYS_readlink},     /* of what is not there */
	{.number = SYS_fcntl},        /* whether somebody still writes it */
	{.number = SYS_memfd_create}, /* a pipe that is read twice */
	{.number = SYS_write},
	{.number = SYS_ppoll},
	{.number = SYS_ioctl,
         .values = of_terminals,
         .value_count = sizeof(of_terminals) / sizeof(of_terminals[0])},
	{.number = SYS_rt_sigaction},
	{.number = SYS_rt_sigprocmask},
	{.number = SYS_rt_sigreturn},
	{.number = SYS_getpid}, /* raise() */
	{.number = SYS_gettid},
	{.number = SYS_tgkill},
	{.number = SYS_getrandom},
	{.number = SYS_clock_gettime},
};

/* Beside it, with an output that is a file. */
static const struct system_call of_files[] = {
	{.number = SYS_fchmod},
	{.number = SYS_renameat},
	{.number = SYS_unlinkat},
};

/* Completes a capture with what the memory of a killed run still holds. */
static const struct system_call of_keeper[] = {
	MEMORY,
	NO_MREMAP,
	{.number = SYS_pread64},
	{.number = SYS_lseek},
	{.number = SYS_ftruncate},
	{.number = SYS_write},
	{.number = SYS_clock_gettime},
	{.number = SYS_exit_group},
};

/* Beside it, where it sends: what libcurl, TLS and a resolver call. */
static const struct system_call of_sending[] = {
	{.number = SYS_socket},
	{.number = SYS_socketpair}, /* so that a thread is woken */
	{.number = SYS_eventfd2},   /* likewise */
	{.number = SYS_connect},
	/* Files of TLS are tried out on a socket of one's own. */
	{.number = SYS_bind},
	{.number = SYS_listen},
	{.number = SYS_accept4},
	{.number = SYS_getsockname},
	{.number = SYS_getpeername},
	{.number = SYS_getsockopt},
	{.number = SYS_setsockopt},
	{.number = SYS_sendto},
	{.number = SYS_sendmsg},
	{.number = SYS_sendmmsg},
	{.number = SYS_recvfrom},
	{.number = SYS_recvmsg},
	{.number = SYS_poll},
	{.number = SYS_clock_nanosleep},
	{.number = SYS_access}, /* files of TLS */
	{.number = SYS_fcntl},
	{.number = SYS_uname},
	{.number = SYS_lseek},
};

/* Beside that, with a spool. */
static const struct system_call of_spool[] = {
	{.number = SYS_flock},     {.number = SYS_geteuid},
	{.number = SYS_pwrite64},  {.number = SYS_fsync},
	{.number = SYS_fallocate}, {.number = SYS_renameat},
	{.number = SYS_unlinkat},  {.number = SYS_mkdir},
	{.number = SYS_getdents64}, {.number = SYS_ftruncate},
	{.number = SYS_fcntl},
};

#define COUNT(calls) (sizeof(calls) / sizeof((calls)[0]))
_Static_assert(COUNT(of_process) + COUNT(of_capture) + COUNT(of_directories) +
                               COUNT(of_reading) + COUNT(of_sending) +
                               COUNT(of_spool) <=
                       SYSTEM_CALLS_MAX,
               "room for the longest list");

/* Each call once, as the first list has it. */
static void add(struct sandbox_list *list, const struct system_call *calls,
                size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;

		while (j < list->count &&
		       list->calls[j].number != calls[i].number)
			j++;
		if (j == list->count)
			list->calls[list->count++] = calls[i];
	}
}

#define ADD(list, calls) add(list, calls, COUNT(calls))

/* What sends has threads. */
static void list_reading(const struct sandbox_plan *plan,
                         struct sandbox_list *list)
{
	if (plan->sends)
		ADD(list, of_process);
	ADD(list, of_reading);
	if (plan->written_count > 0)
		ADD(list, of_files);
}

static void list_process(const struct sandbox_plan *plan,
                         struct sandbox_list *list)
{
	if (plan->is_reader)
		list_reading(plan, list);
	else
		ADD(list, of_process);
	if (plan->captures)
		ADD(list, of_capture);
	if (plan->makes_directories)
		ADD(list, of_directories);
	if (plan->sends)
		ADD(list, of_sending);
	if (plan->spool)
		ADD(list, of_spool);
}

void sandbox_list(enum sandbox_role role, const struct sandbox_plan *plan,
                  struct sandbox_list *ret_list)
{
	ret_list->count = 0;
	switch (role) {
	case SANDBOX_PROCESS:
		list_process(plan, ret_list);
		return;
	case SANDBOX_VCPU:
		ADD(ret_list, of_vcpu);
		return;
	case SANDBOX_DECODING:
		ADD(ret_list, of_decoding);
		return;
	case SANDBOX_WATCHDOG:
		ADD(ret_list, of_watchdog);
		return;
	case SANDBOX_KEEPER:
		ADD(ret_list, of_keeper);
		return;
	case SANDBOX_OUTPUTS:
		ADD(ret_list, of_outputs);
		return;
	}
}
