/* SPDX-License-Identifier: MIT */
/*
 * What is found when the guest or its host is gone: guest memory that has holes,
 * and captures without an end. Conventions are those of host.h.
 */
#ifndef GUESTTRACE_HOST_COMPLETION_H
#define GUESTTRACE_HOST_COMPLETION_H

#include <guesttrace/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the memory of a guest that is gone (has_holes of struct gt_host_options). */
struct gt_missing {
	uint64_t ring_bytes; /* with records of which a part is missing */
	uint64_t sites_bytes;
	uint32_t vcpus; /* whose rings are not known */
};

/* What was missing so far: of all of them after gt_host_finish(). */
void gt_host_missing(struct gt_host *host, struct gt_missing *ret_missing);

struct gt_completion_options {
	size_t size; /* sizeof(struct gt_completion_options) */
	/* The guest's memory, which outlived the writer. Nobody changes it any
	 * more, and nothing is written there. */
	struct gt_memory_slot memory[GT_MEMORY_SLOTS_MAX];
	uint32_t memory_slots;
	/*
	 * How many announcements were accepted before the one of `control_gva`,
	 * which may have been the last thing that the writer saw.
	 */
	uint32_t guests_before;
	uint64_t control_gva; /* of the latest announcement; 0: there was none */
	uint64_t cr0, cr3, cr4, efer; /* of the guest's latest exit */
	/*
	 * The capture. `read` gives up to `count` bytes of what begins at `at`,
	 * 0 at its end; `truncate` leaves its first `bytes`; `write` appends.
	 * < 0: an errno, which is returned.
	 */
	long (*read)(void *context, uint64_t at, void *bytes, size_t count);
	int (*truncate)(void *context, uint64_t bytes);
	int (*write)(void *context, const void *bytes, size_t count);
	void *context;
	/* How it ends; `message` is NUL-terminated UTF-8 or NULL. */
	enum gt_ending ending;
	const char *message;
	struct gt_limits limits; /* as of the writer's gt_host_new() */
	/* As in struct gt_host_options: of the same clocks. */
	void (*read_clock)(void *context, struct gt_clock_reading *ret_reading);
	void *clock_context;
};

/*
 * Completes a capture of the native wire whose writer was killed: a torn frame
 * is cut off, what the guest had recorded and nobody has taken is appended, and
 * the end. No record comes twice, whenever the writer was killed. For who has
 * the guest's memory in a file that outlives the process, as a memfd that
 * another process holds; soon, since the clocks are read now. Any thread.
 *
 * Returns 1; 0 if the capture has its end; GT_ERROR_NOT_A_CAPTURE,
 * GT_ERROR_BAD_VERSION, -EBADMSG (damaged before its end), -EINVAL, -ENOMEM: it
 * is as it was; what `read`, `truncate` or `write` returned, or the first code
 * of what kept a ring from being read, after all others were: it has an end
 * then. -ENOTSUP: likewise, of a guest that a host restored.
 */
int gt_capture_complete(const struct gt_completion_options *options);

#ifdef __cplusplus
}
#endif

#endif
