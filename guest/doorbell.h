/* SPDX-License-Identifier: MIT */
/* The way out of the VM: the only assembly beside the hot path's. */
#ifndef GT_GUEST_DOORBELL_H
#define GT_GUEST_DOORBELL_H

#include <guesttrace/guest.h>

/*
 * Of functions that run once, or do a lot anyway: compiled for size, as the
 * library has 4 KiB of text. The slow path of recording is not among them.
 */
#ifdef __clang__
#define GT__SMALL __attribute__((minsize, noinline))
#else
#define GT__SMALL __attribute__((cold, noinline))
#endif

/* Of the slow path: for gcc what calls a cold function is cold itself. */
#ifdef __clang__
#define GT__SLOW GT__SMALL
#else
#define GT__SLOW __attribute__((noinline))
#endif

#ifdef GT_DOORBELL
void GT_DOORBELL(uint64_t operation, uint64_t control_gva);

static inline void gt__doorbell(uint64_t operation)
{
	GT_DOORBELL(operation, (uint64_t)(uintptr_t)&gt_control);
}
#else
/*
 * The host reads and writes guest memory before the instruction ends. r8 is
 * cleared behind it: nothing else does, and some hosts look at it on each exit.
 */
static inline void gt__doorbell(uint64_t operation)
{
	register uint64_t r8 __asm__("r8") = GT_DOORBELL_MAGIC;
	register uint64_t r9 __asm__("r9") = (uintptr_t)&gt_control;
	register uint64_t r10 __asm__("r10") = operation;

	__asm__ volatile("outb %%al, %%dx\n\t"
	                 "xorl %%r8d, %%r8d"
	                 : "+r"(r8)
	                 : "r"(r9), "r"(r10), "d"(GT_PORT_TRACE),
	                   "a"((uint32_t)operation == GT_DOORBELL_WAKE
	                               ? GT_DOORBELL_AL_WAKE
	                               : 0)
	                 : "memory", "cc");
}
#endif

#ifdef GT_BATCH_EXIT
void GT_BATCH_EXIT(const void *batch, size_t bytes);

static inline void gt__batch_exit(const void *batch, size_t bytes)
{
	GT_BATCH_EXIT(batch, bytes);
}
#else

/* r8 is cleared or each later exit, whatever its reason, sends it again. */
static inline void gt__batch_exit(const void *batch, size_t bytes)
{
	register uint64_t r8 __asm__("r8") = GT_BATCH_MAGIC;
	register uint64_t r9 __asm__("r9") = (uintptr_t)batch;
	register uint64_t r10 __asm__("r10") = bytes;

	__asm__ volatile("outb %%al, %%dx\n\t"
	                 "xorl %%r8d, %%r8d"
	                 : "+r"(r8)
	                 : "r"(r9), "r"(r10), "a"(0), "d"(GT_PORT_TRACE)
	                 : "memory", "cc");
}
#endif

/* What is current has changed and the record of it was lost. */
void gt__unsaid(struct gt_vcpu *vcpu);
/* Beside it, of a span that was not current. */
void gt__unsaid_below(struct gt_vcpu *vcpu);
/* The end of end_stay() in handle.c where that is rare; not to be inlined. */
__attribute__((noinline)) void gt__end_below(const struct gt_span *span,
                                             volatile uint64_t *at,
                                             struct gt_ring *ring, uint64_t pos,
                                             uint64_t limit);

/* Says where the page tables are, and switches sites off whose reader is gone.
 */
void gt__look_at_owner(void);

/* One instruction, so that an interrupt cannot fall into the middle. */
static inline void gt__count(uint64_t *counter)
{
	__asm__("incq %0" : "+m"(*counter)::"cc");
}

#endif
