/* SPDX-License-Identifier: MIT */
/*
 * The thread behind the OTLP sink. Requests come in through a bounded queue; it
 * compresses them, writes them to the spool if there is one, sends them, and
 * tries again what the endpoint could not take.
 */
#ifndef GUESTTRACE_OTLP_SENDER_H
#define GUESTTRACE_OTLP_SENDER_H

#include <guesttrace/export_otlp.h>

struct gt__otlp_sender;

/*
 * `flush` is called from the thread every delay_ms, to hand over what waits:
 * false if it cannot now.
 */
int gt__otlp_sender_new(const struct gt_otlp_http_options *options,
                        bool (*flush)(void *context), void *context,
                        struct gt__otlp_sender **ret_sender);

/* Spans were seen that a request will have. As gt__otlp_sender_put(). */
void gt__otlp_sender_gathers(struct gt__otlp_sender *sender, uint64_t spans);

/* One span is not of a trace that is sampled. */
void gt__otlp_sender_leaves_out(struct gt__otlp_sender *sender);

/*
 * Copies a request. From one thread at a time. Never fails: what there is no
 * room for is counted.
 */
void gt__otlp_sender_put(struct gt__otlp_sender *sender, const void *bytes,
                         size_t count, uint64_t spans);

/*
 * Whether a whole request of so many spans would find room now. Who puts it must
 * be the only one who does.
 */
bool gt__otlp_sender_has_room(struct gt__otlp_sender *sender, uint64_t spans);

/*
 * Sends what is there for up to finish_ms, spools or drops the rest and ends
 * the thread. Nothing may be put any more.
 */
void gt__otlp_sender_finish(struct gt__otlp_sender *sender);

/* Ends it, at once if it was not finished. */
void gt__otlp_sender_free(struct gt__otlp_sender *sender);

void gt__otlp_sender_stats(struct gt__otlp_sender *sender,
                           struct gt_otlp_stats *ret_stats);

#endif
