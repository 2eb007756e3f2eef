/* SPDX-License-Identifier: MIT */
/* The recorder's own memory, as far as it is not the embedder's. */
#include "encoder.h"

struct gt_control gt_control __attribute__((aligned(GT_CONTROL_ALIGN)));
struct gt_vcpu gt_vcpu0 __attribute__((aligned(64)));
gt_encoder_fn *gt__encoder;
