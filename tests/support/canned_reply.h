/* SPDX-License-Identifier: MIT */
/*
 * What an OTLP request comes to whose endpoint sends these bytes and closes:
 * through libcurl, over a connection of this process with itself.
 */
#ifndef GUESTTRACE_TESTS_CANNED_REPLY_H
#define GUESTTRACE_TESTS_CANNED_REPLY_H

#include "export/send/otlp_post.h"

#define CANNED_BYTES_MAX (96u << 10) /* more is cut */

void canned_reply(enum gt_otlp_signal signal, enum gt_otlp_protocol protocol,
                  const void *reply, size_t count,
                  struct gt__otlp_result *ret_result);

/* Looked at when a signal and a protocol have their first request. */
extern uint32_t canned_reply_timeout_ms;

/* What is kept for the next time. */
void canned_reply_free(void);

#endif
