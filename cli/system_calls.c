/* SPDX-License-Identifier: MIT */
/* Linux, Documentation/userspace-api/seccomp_filter.rst: the list as a program. */
#include "system_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The head, then what a call takes, with as many values as it may have. */
#define HEAD_MAX    4u
#define PER_CALL    2u
#define PROGRAM_MAX 600u

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short count;
};

static void put(struct program *program, struct sock_filter one)
{
	program->code[program->count++] = one;
}

static void load(struct program *program, size_t offset)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                          (uint32_t)offset));
}

static void end(struct program *program, uint32_t how)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, how));
}

/* Goes on behind the next `count` where it is not `value`. */
static void unless_equal(struct program *program, uint32_t value,
                         size_t count)
{
	put(program,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
	                                 (uint8_t)count));
}

/* The number of another architecture, or of x32, is none of ours. */
static void begin(struct program *program, uint32_t others)
{
	load(program, offsetof(struct seccomp_data, arch));
	put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	                                          AUDIT_ARCH_X86_64, 1, 0));
	end(program, others);
	load(program, offsetof(struct seccomp_data, nr));
}

/* The upper half of an argument that is a word of 32 bits is nobody's. */
static void put_values(struct program *program, const struct system_call *call,
                       uint32_t others)
{
	load(program, offsetof(struct seccomp_data, args[1]));
	for (uint32_t i = 0; i < call->value_count; i++) {
		unless_equal(program, call->values[i], 1);
		end(program, SECCOMP_RET_ALLOW);
	}
	end(program, others);
}

static void put_call(struct program *program, const struct system_call *call,
                     uint32_t others)
{
	size_t values = 2 + 2 * (size_t)call->value_count;

	unless_equal(program, call->number, call->value_count ? values : 1);
	if (call->value_count)
		put_values(program, call, others);
	else
		end(program,
		    call->error ? SECCOMP_RET_ERRNO | call->error
		                : SECCOMP_RET_ALLOW);
}

static int install(struct program *program)
{
	struct sock_fprog list = {program->count, program->code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &list) == 0)
		return 0;
	/* Whoever could gain privileges by execve() may not do this. */
	if (errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &list) == 0)
		return 0;
	return -errno;
}

int system_calls_allow(const struct system_call *calls, size_t count,
                       uint32_t others)
{
	struct program program = {.count = 0};
	size_t most = HEAD_MAX + 1;

	for (size_t i = 0; i < count; i++) {
		if (calls[i].value_count > CALL_VALUES_MAX)
			return -E2BIG;
		most += PER_CALL + 2 + 2 * (size_t)calls[i].value_count;
	}
	if (most > PROGRAM_MAX)
		return -E2BIG;
	begin(&program, others);
	for (size_t i = 0; i < count; i++)
		put_call(&program, &calls[i], others);
	end(&program, others);
	return install(&program);
}
