/* SPDX-License-Identifier: MIT */
/* --limit NAME=VALUE[,NAME=VALUE]...: what one guest may cost the host. */
#ifndef GT_CLI_LIMITS_H
#define GT_CLI_LIMITS_H

#include <guesttrace/host.h>

#include <stdbool.h>

/* Sets those that are named; complains and returns false. */
bool limits_parse(struct gt_limits *limits, const char *text);

/* A number from 1 on, with k, M or G behind it. Complains and returns false. */
bool limits_parse_bytes(const char *option, const char *text,
                        uint64_t *ret_bytes);

#endif
