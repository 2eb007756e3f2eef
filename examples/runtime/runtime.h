/* SPDX-License-Identifier: MIT */
/*
 * The little that a guest of `guesttrace run` needs around its own code: an
 * entry, a console, some memory, and a death that tells why. A guest is one C
 * file with guest_main(), compiled and linked with the files of this folder. The
 * same file boots by PVH in other VMMs (pvh.c).
 *
 * There is no libc below this, no heap that frees, and interrupts are off. With
 * several vCPUs guest_main() runs on vCPU 0; the others wait, spinning, for
 * runtime_start_vcpus().
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <guesttrace/abi.h>

#include <stddef.h>
#include <stdint.h>

/* First byte of an abort. */
#define RUNTIME_ABORT_EXCEPTION 1u
#define RUNTIME_ABORT_PANIC     2u

/* The guest's own code. What it returns is the exit status. */
int guest_main(int argc, char **argv);

/*
 * The same of each other vCPU, numbered from 1. When it returns its vCPU halts;
 * the guest goes on. Returns at once unless another file defines it.
 */
void guest_vcpu_main(unsigned vcpu);

/* Lets the other vCPUs go. Once, by vCPU 0; with one vCPU it does nothing. */
void runtime_start_vcpus(void);

/* The caller's number. */
unsigned runtime_vcpu_index(void);

/*
 * One pointer per vCPU for the guest to use, NULL at first: set by its vCPU,
 * read by the instruction `movq %gs:RUNTIME_LOCAL_GS, reg`.
 */
#define RUNTIME_LOCAL_GS 8
void runtime_set_local(void *local);

/*
 * Called once before the guest dies of an exception or a panic, on the stack of
 * the exception and the vCPU that died. Does nothing unless another file
 * defines it. An exception inside it ends the guest at once, reported as the
 * first one.
 */
void runtime_before_death(void);

/* What the host said at the start; valid for as long as the guest lives. */
const struct gt_boot *runtime_boot(void);

/* Writes a string to the console, where each vCPU has lines of its own. */
void runtime_print(const char *text);
void runtime_print_bytes(const char *bytes, size_t n);
/* `0x` and hexadecimal digits without leading zeros. */
void runtime_print_hex(uint64_t value);

/*
 * Zeroed memory that is never given back, aligned to `align` (a power of two,
 * at most 4096). NULL if there is no more. Any vCPU.
 */
void *runtime_alloc(size_t n, size_t align);

/* Ends the guest with this exit status. */
_Noreturn void runtime_halt(uint32_t status);

/* Ends the guest with a message, after runtime_before_death(). */
_Noreturn void runtime_panic(const char *message);

/*
 * Takes a vector away from the runtime. `handler` is raw: it ends with IRETQ
 * (a compiler's attribute `interrupt`) and runs on the interrupted stack.
 */
void runtime_set_vector(uint8_t vector, void (*handler)(void));

/* What every compiler expects to find, and what one misses most. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
uint64_t runtime_parse_u64(const char *digits);

#endif
