/* SPDX-License-Identifier: MIT */
/*
 * Frames -> sinks: the way of every record, live and offline. What a frame says
 * is not trusted: it may come from a guest or from a file.
 */
#ifndef GT_HOST_PIPELINE_H
#define GT_HOST_PIPELINE_H

#include "host/frames/frame.h"

struct gt__pipeline;

/* Zeros in `limits` become the defaults. Nothing is shown before the first
 * frame. -ENOMEM, -EINVAL. */
int gt__pipeline_new(struct gt_sink *const *sinks, size_t sink_count,
                     uint32_t index, const struct gt_limits *limits,
                     struct gt__pipeline **ret_pipeline);
void gt__pipeline_free(struct gt__pipeline *pipeline);

/* Fills in the defaults. */
struct gt_limits gt__limits(const struct gt_limits *given);

/*
 * Takes one frame; the payload is borrowed. A frame that makes no sense is
 * counted and otherwise ignored. Returns -ENOMEM, or for the first frame
 * GT_ERROR_NOT_A_CAPTURE, _BAD_VERSION; what sinks return is kept apart.
 */
int gt__pipeline_frame(struct gt__pipeline *pipeline, enum gt__frame_type type,
                       uint32_t vcpu, const uint8_t *payload, size_t count);

/* The first error of the sinks so far. */
int gt__pipeline_error(const struct gt__pipeline *pipeline);

/* What was counted so far; of losses there are those of guests before. */
const struct gt_summary *
gt__pipeline_so_far(const struct gt__pipeline *pipeline);
/* And of the guest that is there now. */
struct gt_losses gt__pipeline_losses(const struct gt__pipeline *pipeline);

/*
 * No frame follows. Without a GT__FRAME_END the trace ends at its last record,
 * with `cut_bytes` counted; so are so many stretches that held no whole frame,
 * and all of their bytes. Returns the first error of the sinks.
 */
int gt__pipeline_finish(struct gt__pipeline *pipeline, uint64_t cut_bytes,
                        uint64_t damaged, uint64_t damaged_bytes);

/* Which TSCs a vCPU had of late. */
struct gt__tsc_map;
const struct gt__tsc_map *
gt__pipeline_tsc_map(const struct gt__pipeline *pipeline, uint32_t vcpu);

/* The newest site table; NULL before there is one. */
const struct gt__sites *gt__pipeline_sites(const struct gt__pipeline *pipeline);

#endif
