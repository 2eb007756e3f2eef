/* SPDX-License-Identifier: MIT */
/* The files of TLS, looked at before anything runs. */
#ifndef GT_CLI_OTLP_TLS_H
#define GT_CLI_OTLP_TLS_H

#include <guesttrace/export_otlp.h>

/*
 * Whether those of the options that are there can be what they are said to be:
 * PEM (RFC 7468), and a certificate and a key for it. 0, or -EINVAL after
 * complaining. Whether a key is that of its certificate only TLS knows.
 */
int otlp_tls_check(const struct gt_otlp_http_options *options);

#endif
