/* SPDX-License-Identifier: MIT */
/* The recorder's own memory, as far as it is not the embedder's. */
#include "encoder.h"

/*
 * In one page: of a guest that was just restored only what it touches is there,
 * and it touches its vCPU. Whoever looks for it from outside finds the page by
 * the control block's first word.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define IN_ORDER section(".bss"), no_reorder
#else
#define IN_ORDER section(".bss") /* clang keeps it */
#endif

struct gt_control gt_control
	__attribute__((aligned(GT_CONTROL_ALIGN), IN_ORDER));
struct gt_vcpu gt_vcpu0 __attribute__((aligned(64), IN_ORDER));
_Static_assert(sizeof(gt_control) + sizeof(gt_vcpu0) <= GT_CONTROL_ALIGN,
               "they share a page");
gt_encoder_fn *gt__encoder;
