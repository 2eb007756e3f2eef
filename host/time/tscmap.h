/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's TSC -> ticks of the host's TSC since the first reading: the inverse
 * of what the hypervisor applies, which may change during a run.
 */
#ifndef GT_HOST_TSCMAP_H
#define GT_HOST_TSCMAP_H

#include <stdbool.h>
#include <stdint.h>

#define GT__TSC_PIECES                                         \
	4u /* the latest ones: older records were taken before \
	    */

/* guest = (host * ratio >> shift) + offset; ratio 0: host + offset. */
struct gt__tsc {
	int64_t offset;
	uint64_t ratio;
	uint32_t shift; /* 0..63 */
};

struct gt__tsc_map {
	struct gt__tsc tsc[GT__TSC_PIECES];
	uint64_t from_tick[GT__TSC_PIECES]; /* ascending */
	uint32_t count; /* 0: the guest's TSC is the host's */
};

/* From `from_tick` on this holds. An earlier one than the latest replaces it.
 */
void gt__tsc_map_add(struct gt__tsc_map *map, const struct gt__tsc *tsc,
                     uint64_t from_tick);

/* When a record can have been made, in ticks of the host behind `base_tsc`. */
struct gt__tsc_window {
	uint64_t base_tsc;
	uint64_t from_tick, to_tick;
};

struct gt__tsc_ticks {
	uint64_t tick;  /* at which the guest read its TSC */
	uint64_t other; /* farthest from it of all that it may be */
};

/*
 * By the latest piece whose own time `guest_tsc` falls into. False: it falls
 * into none's; then by the latest of all, which may be any number if the guest
 * lies: compare it as a signed one. `other` is by another piece that allows it
 * within the window; the same one if none does.
 */
__attribute__((warn_unused_result)) bool
gt__tsc_map_tick(const struct gt__tsc_map *map,
                 const struct gt__tsc_window *window, uint64_t guest_tsc,
                 struct gt__tsc_ticks *ret_ticks);

#endif
