/* SPDX-License-Identifier: MIT */
#include "salvage.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TSC_LAST  (UINT64_C(1) << 60)
#define TRIES_MAX 32u                  /* of one control block */
#define BYTES_MIN (UINT64_C(16) << 20) /* however small a dump is */

/* Intel SDM volume 3, 2.5 and 2.2.1: 4-level paging is on. */
#define CR0_PAGING (UINT64_C(1) << 31 | 1)
#define CR4_PAE    (UINT64_C(1) << 5)
#define EFER_LONG  (UINT64_C(1) << 10 | UINT64_C(1) << 8)

/* ---- The host library's way ---------------------------------------------- */

__extension__ typedef unsigned __int128 u128;

static uint64_t ns_of(const struct salvage *s, uint64_t ticks)
{
	uint64_t khz = s->tsc_khz ? s->tsc_khz : 1000000;

	return (uint64_t)((u128)ticks * 1000000 / khz);
}

/* The first reading is the beginning, each other the end. */
static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	struct salvage *s = context;
	unsigned end = s->readings++ > 0;

	*ret_reading = (struct gt_clock_reading){
		.tsc = s->tsc[end],
		.monotonic_ns = ns_of(s, s->tsc[end]),
		.realtime_ns = s->realtime_ns[end],
	};
}

static struct gt_exit announcement(const struct salvaged *guest)
{
	return (struct gt_exit){
		.size = sizeof(struct gt_exit),
		.reason = GT_EXIT_IO,
		.port = GT_PORT_TRACE,
		.width_bytes = 1,
		.out = true,
		.count = 1,
		.r8 = GT_DOORBELL_MAGIC,
		.r9 = guest->control_gva,
		.r10 = GT_DOORBELL_ANNOUNCE,
		.cr0 = CR0_PAGING,
		.cr3 = guest->root,
		.cr4 = CR4_PAE,
		.efer = EFER_LONG,
	};
}

/* No honest ring is longer than all of the memory. */
static size_t ring_bytes_max(const struct salvage *s)
{
	size_t bytes = GT_RING_BYTES_MIN;

	while (bytes < dump_bytes(&s->dump) && bytes < GT_RING_BYTES_MAX)
		bytes *= 2;
	return bytes;
}

static int new_host(struct salvage *s, const struct salvaged *guest,
                    struct gt_sink *const *sink,
                    const struct gt_output *capture, struct gt_host **ret_host)
{
	const char *slash = strrchr(s->name, '/');
	struct gt_host_options host = {
		.size = sizeof(host),
		.memory = {dump_slot(&s->dump)},
		.memory_slots = 1,
		.vcpus = guest->vcpus,
		.sinks = sink,
		.sink_count = sink ? 1 : 0,
		.guest_name = slash && slash[1] ? slash + 1 : s->name,
		.vm_name = "salvaged",
		.backend = "memory",
		.limits = {.ring_bytes = ring_bytes_max(s)},
		.read_clock = read_clock,
		.clock_context = s,
		.has_holes = true,
	};

	if (capture)
		host.capture = *capture;
	s->readings = 0;
	return gt_host_new(&host, ret_host);
}

/* What is missing is stored in any case. */
static int take_all(struct salvage *s, struct salvaged *guest,
                    struct gt_sink *const *sink,
                    const struct gt_output *capture)
{
	struct gt_exit exit = announcement(guest);
	struct gt_host *host;
	int r = new_host(s, guest, sink, capture, &host), finished;

	if (r < 0)
		return r;
	r = gt_host_exit(host, 0, &exit);
	finished = gt_host_finish(host, GT_ENDING_UNKNOWN, 0,
	                          "salvaged from its memory");
	gt_host_missing(host, &guest->missing);
	gt_host_free(host);
	return r < 0 ? r : finished;
}

/* ---- Finding ------------------------------------------------------------- */

/*
 * A way to a control block. What the library makes of a number that is not true
 * is its own affair.
 */
static struct salvaged way_to(const struct dump *dump, uint64_t root,
                              uint64_t gva, uint64_t gpa)
{
	const uint8_t *bytes = dump_at(dump, gpa, sizeof(struct gt_control));
	struct gt_control control = {.vcpus = 1};
	struct salvaged way = {
		.root = root, .control_gva = gva, .control_gpa = gpa};

	if (bytes)
		memcpy(&control, bytes, sizeof(control));
	if (control.size <
	    offsetof(struct gt_control, self_gva) + sizeof(control.self_gva))
		control.self_gva = 0;
	way.vcpus = control.vcpus >= 1 && control.vcpus <= GT_VCPUS_MAX
	                    ? control.vcpus
	                    : 1;
	way.is_own = control.self_gva == 0 || control.self_gva == gva;
	return way;
}

/* A pass on a clock of one tick a ns, which tells between what TSCs it is. */
static int look_at(struct salvage *s, struct salvaged *guest)
{
	struct gt_sink *const sink = &guest->seen.sink;
	uint64_t khz = s->tsc_khz;
	int r;

	guest->seen = seen_begin();
	s->tsc_khz = 0;
	s->tsc[0] = s->realtime_ns[0] = 0;
	s->tsc[1] = s->realtime_ns[1] = TSC_LAST;
	r = take_all(s, guest, &sink, NULL);
	s->spent = guest->seen.bytes > s->bytes_left;
	s->bytes_left -= s->spent ? s->bytes_left : guest->seen.bytes;
	s->tsc_khz = khz;
	return r;
}

bool salvage_is_whole(const struct salvaged *guest)
{
	const struct gt_missing *missing = &guest->missing;

	return missing->vcpus + missing->ring_bytes + missing->sites_bytes +
	               guest->seen.bad_records ==
	       0;
}

/* Records, and nothing that is missing: no other way can be better. */
static bool is_right(const struct salvaged *guest)
{
	return salvage_is_whole(guest) && guest->is_own &&
	       guest->seen.records > 0;
}

static bool is_better(const struct salvaged *a, const struct salvaged *b)
{
	if (is_right(a) != is_right(b))
		return is_right(a);
	if ((a->seen.records > 0) != (b->seen.records > 0))
		return a->seen.records > 0;
	if (a->is_own != b->is_own)
		return a->is_own;
	if (a->missing.vcpus != b->missing.vcpus)
		return a->missing.vcpus < b->missing.vcpus;
	return a->seen.records > b->seen.records;
}

static struct salvaged *guest_at(struct salvage *s, uint64_t gpa)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->guests[i].control_gpa == gpa)
			return &s->guests[i];
	return NULL;
}

static bool all_are_right(const struct salvage *s)
{
	uint32_t right = 0;

	for (uint32_t i = 0; i < s->count; i++)
		right += is_right(&s->guests[i]);
	return right == s->ways->target_count;
}

/* Whether the library can follow a control block at `gva` to its rings. */
static bool try_control(void *context, uint64_t root, uint64_t gva,
                        uint64_t gpa)
{
	struct salvage *s = context;
	struct salvaged *known = guest_at(s, gpa);
	struct salvaged guest = way_to(&s->dump, root, gva, gpa);

	if (known &&
	    (is_right(known) || known->tries == TRIES_MAX || !guest.is_own)) {
		s->ways->places_left++; /* it costs nothing */
		return false;
	}
	if ((!known && s->count == SALVAGE_GUESTS_MAX) ||
	    look_at(s, &guest) < 0 || guest.missing.vcpus == guest.vcpus)
		return s->spent;
	guest.tries = known ? ++known->tries : guest.is_own;
	if (!known)
		known = &s->guests[s->count++];
	else if (!is_better(&guest, known))
		return s->spent;
	*known = guest;
	return s->spent || all_are_right(s);
}

static int follow(struct salvage *s)
{
	int r = 0;

	if (s->identity)
		return ways_follow(s->ways, s->identity_root, try_control, s);
	if (s->has_cr3)
		return ways_follow(s->ways, s->cr3, try_control, s);
	for (uint64_t i = 0; r == 0 && i < s->dump.root_count; i++)
		r = ways_follow(s->ways, s->dump.roots[i], try_control, s);
	return r ? r : ways_follow_all(s->ways, try_control, s);
}

/* In the layout that is in use. */
static int find_here(struct salvage *s)
{
	struct ways ways;
	int r = ways_init(&ways, &s->dump, GT_CONTROL_MAGIC, s->end_ns,
	                  s->progress);

	s->count = 0;
	s->spent = false;
	s->bytes_left = BYTES_MIN + 2 * dump_bytes(&s->dump);
	s->ways = &ways;
	if (r == 0)
		r = follow(s);
	s->controls += ways.target_count;
	s->ways = NULL;
	ways_fini(&ways);
	if (s->spent)
		return -E2BIG;
	return r < 0 ? r : 0;
}

static const struct salvaged *best_of(const struct salvage *s)
{
	const struct salvaged *best = s->count ? &s->guests[0] : NULL;

	for (uint32_t i = 1; i < s->count; i++)
		if (is_better(&s->guests[i], best))
			best = &s->guests[i];
	return best;
}

/* What looks like a guest and says nothing is none, unless nobody does. */
static void forget_silent(struct salvage *s)
{
	const struct salvaged *best = best_of(s);
	uint32_t count = 0;

	if (s->keeps_silent)
		return;
	if (best && best->seen.records == 0) {
		s->guests[0] = *best;
		s->count = 1;
		return;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if (s->guests[i].seen.records > 0)
			s->guests[count++] = s->guests[i];
	s->count = count;
}

static int find_in_layouts(struct salvage *s)
{
	struct salvaged best = {.vcpus = 0};
	int r = 0;

	for (uint32_t i = 0; i < dump_layouts(&s->dump); i++) {
		const struct salvaged *here;

		r = dump_use(&s->dump, i);
		if (r == 0)
			r = find_here(s);
		here = best_of(s);
		if (here && is_right(here)) {
			s->layout = i;
			return r;
		}
		if (here && (best.vcpus == 0 || is_better(here, &best))) {
			best = *here;
			s->layout = i;
		}
		if (r < 0)
			return r;
	}
	if (dump_layouts(&s->dump) == 1 || best.vcpus == 0)
		return r;
	r = dump_use(&s->dump, s->layout);
	return r < 0 ? r : find_here(s);
}

int salvage_find(struct salvage *s)
{
	int r = find_in_layouts(s);

	forget_silent(s);
	return r;
}

/* ---- Writing ------------------------------------------------------------- */

/* The last record is given the time at which the dump was written. */
static void set_clock(struct salvage *s, const struct seen *seen)
{
	uint64_t duration_ns = ns_of(s, seen->last - seen->first);
	uint64_t written_ns = s->written_ns;

	s->tsc[0] = seen->first;
	s->tsc[1] = seen->last;
	if (written_ns < duration_ns)
		written_ns = duration_ns;
	s->realtime_ns[0] = written_ns - duration_ns;
	s->realtime_ns[1] = written_ns;
}

int salvage_write(struct salvage *s, const struct salvaged *guest,
                  const struct gt_output *to)
{
	struct salvaged copy = *guest;

	set_clock(s, &guest->seen);
	return take_all(s, &copy, NULL, to);
}
