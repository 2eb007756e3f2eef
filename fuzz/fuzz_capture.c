/* SPDX-License-Identifier: MIT */
/* Capture files (threat F9). Everything that a sink is shown is looked at. */
#include "capture_input.h"
#include "doubting_sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct doubting_sink seen = doubting_sink();
	struct gt_sink *const sinks[] = {&seen.sink};

	replay_capture(bytes, count, sinks, 1);
	return 0;
}
