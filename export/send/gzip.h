/* SPDX-License-Identifier: MIT */
#ifndef GUESTTRACE_GZIP_H
#define GUESTTRACE_GZIP_H

#include "export/spool/otlp_request.h"

/*
 * The request compressed, as a new one; the old one is freed. The old one as it
 * is where there is no memory, or where nothing would be saved.
 */
struct gt__otlp_request *gt__gzip(struct gt__otlp_request *request);

/*
 * The request expanded, as a new one: 0, -ENOMEM, or -EBADMSG for what is no
 * gzip or holds more than GT__REQUEST_BYTES_MAX.
 */
int gt__gunzip(const struct gt__otlp_request *request,
               struct gt__otlp_request **ret_plain);

#endif
