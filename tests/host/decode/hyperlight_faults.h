/* SPDX-License-Identifier: MIT */
/*
 * What can be wrong with a batch, one fault each, with the error that it is by
 * FlatBuffers' rules (https://flatbuffers.dev/internals/) and those of the
 * wire.
 */
#ifndef GT_TESTS_HYPERLIGHT_FAULTS_H
#define GT_TESTS_HYPERLIGHT_FAULTS_H

#include <guesttrace/host.h>

struct fault {
	const char *name;
	enum gt_error code;
	struct {
		uint32_t at; /* 0: no change */
		uint32_t bytes;
		uint32_t value;
	} changes[2]; /* of open_fields_1.bin of 0.12 */
	uint32_t cut; /* bytes taken away at the end */
	bool only_12;
};

extern const struct fault faults[];
extern const size_t fault_count;

#endif
