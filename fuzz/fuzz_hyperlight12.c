/* SPDX-License-Identifier: MIT */
/* Batches of Hyperlight's wire format 0.12. Seeds: tests/vectors. */
#include "hyperlight_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	decode_input(GT_WIRE_HYPERLIGHT_0_12, bytes, count);
	return 0;
}
