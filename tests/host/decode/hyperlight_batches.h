/* SPDX-License-Identifier: MIT */
/* Batches for the tests of the Hyperlight decoder: files, and hand-made ones.
 */
#ifndef GT_TESTS_HYPERLIGHT_BATCHES_H
#define GT_TESTS_HYPERLIGHT_BATCHES_H

#include <guesttrace/host.h>

struct batch {
	uint8_t *bytes; /* exactly `count`, so that a sanitizer sees the end */
	size_t count;
};

/* DIRECTORY/hyperlight-0.1N/NAME.bin; fails the test if it is not there. */
struct batch batch_read(const char *directory, enum gt_wire wire,
                        const char *name);
void batch_free(struct batch *batch);

/* A 0.12 log event with `fields` times the same field, all strings the same. */
struct batch batch_shared_field(uint32_t fields, uint32_t string_bytes,
                                uint8_t filler);

/* A 0.11 batch with `events` times the same log event. */
struct batch batch_shared_event(uint32_t events, uint32_t string_bytes);

/* Bytes of output that a decoder showed: by the event, counted anew. */
uint64_t batch_output_bytes(const struct gt_hyperlight_event *event);

#endif
