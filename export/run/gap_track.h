/* SPDX-License-Identifier: MIT */
/*
 * Where on a timeline a loss is drawn: on a track of its vCPU's own, as a slice
 * from when all was still there until it was noticed. Slices of one track have
 * to follow each other; two losses may overlap.
 */
#ifndef GUESTTRACE_GAP_TRACK_H
#define GUESTTRACE_GAP_TRACK_H

#include <guesttrace/export.h>

struct gt__gap_track {
	uint64_t end_ns; /* of the last slice */
	bool described;  /* for the format */
};

/* The slice, which begins and ends no earlier than the last one has ended. */
static inline void gt__gap_place(struct gt__gap_track *track,
                                 const struct gt_loss_view *loss,
                                 uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	*ret_start_ns = loss->from_ns;
	if (*ret_start_ns < track->end_ns)
		*ret_start_ns = track->end_ns;
	*ret_end_ns = loss->to_ns;
	if (*ret_end_ns < *ret_start_ns)
		*ret_end_ns = *ret_start_ns;
	track->end_ns = *ret_end_ns;
}

#endif
