/* SPDX-License-Identifier: MIT */
/* Which traces are sampled, as the environment says. docs/otlp.md has it. */
#ifndef GT_CLI_OTLP_SAMPLER_H
#define GT_CLI_OTLP_SAMPLER_H

#include <guesttrace/abi.h>

/*
 * OTEL_TRACES_SAMPLER and its argument. Complains of what it cannot understand,
 * in whose place it takes the default.
 */
struct gt_sampler otlp_sampler_read(void);

#endif
