/* SPDX-License-Identifier: MIT */
/* A request that is too large for its endpoint, in two. */
#ifndef GUESTTRACE_OTLP_HALVE_H
#define GUESTTRACE_OTLP_HALVE_H

#include "export/spool/otlp_request.h"

/*
 * Two requests with the spans of `request` (or what its signal has), in order,
 * each with the resource and scope that it had; not compressed, the caller's to
 * free(). 0; -ENOMEM; -ERANGE for one span or none; -EBADMSG for a body that is
 * damaged or holds another number of spans than it says. Then nothing is
 * stored.
 */
int gt__otlp_halve(const struct gt__otlp_request *request,
                   struct gt__otlp_request *ret_halves[2]);

#endif
