/* SPDX-License-Identifier: MIT */
/*
 * Read the trace of a guest: the library that a VMM embeds.
 *
 * Errors. Functions return 0 or a negative code: an errno, or one of enum
 * gt_error. gt_error_text() names it. An error leaves everything as it was,
 * counters aside, unless a function says otherwise. What a guest does wrong is counted (struct gt_losses) and
 * reported by the code, and never keeps the host from going on.
 *
 * Ownership. The caller owns what it passes in; options and strings are copied,
 * guest memory and sinks must outlive the host. No pointer into guest memory is
 * kept, and every byte is copied before it is looked at. Results named ret_...
 * are stored on success only.
 *
 * Threads. One struct gt_host serves one VM. Its functions may be called from
 * any thread; a lock of its own orders them. Sinks are called under that lock.
 *
 * The library never prints, exits, or touches guest memory but for what
 * docs/format.md calls "written by the host".
 */
#ifndef GUESTTRACE_HOST_H
#define GUESTTRACE_HOST_H

#include <guesttrace/export.h>

#define GT_ERRORS_(X)                                                          \
	X(NOT_CANONICAL, 4097, "address is not canonical")                     \
	X(WRAPS, 4098, "range wraps around the end of the address space")      \
	X(UNMAPPED, 4099, "address is not mapped in the guest")                \
	X(OUTSIDE_RAM, 4100, "page table leads outside the guest's RAM")       \
	X(RESERVED_BIT, 4101, "page table entry has a reserved bit set")       \
	X(PAGING_MODE, 4102, "guest is not in 4-level 64-bit paging")          \
	X(READ_ONLY, 4103, "page is read-only in the guest")                   \
	X(BAD_REQUEST, 4104, "doorbell names no known operation")              \
	X(BAD_CONTROL, 4105, "control block is not one")                       \
	X(BAD_VERSION, 4106, "written by another version of the format")       \
	X(BAD_RING, 4107, "ring description is not usable")                    \
	X(BAD_SITES, 4108, "site table is not usable")                         \
	X(NOT_ANNOUNCED, 4109, "guest has not announced a control block")      \
	X(BAD_FILTER, 4110, "filter is not LEVEL or TARGET=LEVEL,...")         \
	X(BAD_TRACEPARENT, 4111, "not a W3C traceparent")                      \
	X(NOT_A_CAPTURE, 4112, "not a guesttrace capture")                     \
	X(BAD_VCPU, 4113, "no such vCPU")

enum gt_error {
#define X(name, number, text) GT_ERROR_##name = number,
	GT_ERRORS_(X)
#undef X
};

/* Text of a negative code. Static storage, never NULL; thread-safe. */
const char *gt_error_text(int code);

/* One piece of guest RAM. Slots do not overlap. */
struct gt_memory_slot {
	uint64_t gpa;
	uint64_t bytes;
	void *host;
};

#define GT_MEMORY_SLOTS_MAX 8u

enum gt_exit_reason {
	GT_EXIT_OTHER = 0,
	GT_EXIT_IO = 1,
	GT_EXIT_MMIO = 2,
	GT_EXIT_HALT = 3,
	GT_EXIT_SHUTDOWN = 4,
	GT_EXIT_EXCEPTION = 5,
	GT_EXIT_INTERRUPTED = 6,
	GT_EXIT_TIMEOUT = 7,
	GT_EXIT_ERROR = 8,
};

/* What the VMM knows of one VM exit, read from the vCPU once. */
struct gt_exit {
	size_t size; /* sizeof(struct gt_exit), so that it can grow */
	enum gt_exit_reason reason;
	/* Of GT_EXIT_IO: */
	uint16_t port;
	uint8_t width_bytes;
	bool out;
	uint32_t count; /* of a string instruction; else 1 */
	uint64_t r8, r9, r10;
	/* Of any exit, for the walk of the page tables: */
	uint64_t cr0, cr3, cr4, efer;
	int64_t tsc_offset; /* guest TSC - host TSC, ticks */
};

/* One reading of the host's clocks. */
struct gt_clock_reading {
	uint64_t tsc;          /* host TSC */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC at that moment */
	uint64_t realtime_ns;  /* CLOCK_REALTIME at that moment */
	uint64_t gap_ns;       /* the two times lie at most this far off */
};

struct gt_limits {
	uint32_t open_spans;  /* default 65,536 */
	size_t span_bytes;    /* fields and events of open spans; 64 MiB */
	size_t ring_bytes;    /* of one level of one vCPU; 64 MiB */
	size_t sites_bytes;   /* of the site table; 4 MiB */
	uint32_t contexts;    /* contexts with entered spans; 4,096 */
	uint32_t announcements; /* 16 */
};

struct gt_host_options {
	size_t size; /* sizeof(struct gt_host_options), so that it can grow */
	struct gt_memory_slot memory[GT_MEMORY_SLOTS_MAX];
	uint32_t memory_slots;
	uint32_t vcpus; /* 1..GT_VCPUS_MAX; 0: 1 */
	/* Called in this order; NULL ends the list early. Not freed. */
	struct gt_sink *const *sinks;
	size_t sink_count;
	/* Where the capture goes; `write` NULL: none is written. */
	struct gt_output capture;
	const char *filter; /* see gt_host_set_filter(); NULL: "trace" */
	/* NUL-terminated UTF-8, or NULL. */
	const char *guest_name, *vm_name, *backend;
	const char *traceparent; /* W3C; NULL: a new trace with random id */
	struct gt_limits limits; /* zeros are the defaults */
	/* Reads the clocks; NULL: rdtsc and clock_gettime(). */
	void (*read_clock)(void *context, struct gt_clock_reading *ret_reading);
	void *clock_context;
	/* Fills `count` random bytes; NULL: getrandom(). */
	void (*random)(void *context, void *bytes, size_t count);
	void *random_context;
};

struct gt_host;

/*
 * Makes the host side of one VM. Nothing of the guest is read before its first
 * exit. Errors: -EINVAL (options), -ENOMEM, GT_ERROR_BAD_FILTER,
 * GT_ERROR_BAD_TRACEPARENT, or what a sink's `begin` or the capture's `write`
 * returned.
 */
int gt_host_new(const struct gt_host_options *options,
                struct gt_host **ret_host);

/* NULL is allowed. Neither finishes nor frees the sinks. */
void gt_host_free(struct gt_host *host);

/* The vCPU is about to run. Optional: the capture then knows since when. */
int gt_host_enter(struct gt_host *host, uint32_t vcpu);

/*
 * The vCPU has left the guest and stands still. Takes the guest's records if
 * the exit asks for it: OUT of width 1, count 1, on GT_PORT_TRACE with
 * GT_DOORBELL_MAGIC in r8. Returns 1 for such an exit, which the VMM needs not
 * look at further; 0 for any other; a negative code if it asks for something
 * impossible, which is counted: the guest may go on. A guest that announces
 * itself again replaces what it announced before, even if that fails.
 */
int gt_host_exit(struct gt_host *host, uint32_t vcpu,
                 const struct gt_exit *exit);

/*
 * Takes what all rings hold, with the page tables of the last exit. 0 also if
 * the guest has announced nothing yet.
 */
int gt_host_drain(struct gt_host *host);

/*
 * Switches sites on and off, at once if the guest has announced itself, else
 * when it does; the guest may be running. `filter` is directives separated by
 * commas: LEVEL for all targets, TARGET=LEVEL for a target and all whose name
 * goes on with one of . : / behind it, TARGET for TARGET=trace; the longest
 * match holds, and what nothing matches is off. LEVEL is off, error, warn, info,
 * debug, trace or 0..5. Errors: GT_ERROR_BAD_FILTER; or why a site could not be
 * written, after all others were.
 */
int gt_host_set_filter(struct gt_host *host, const char *filter);

/*
 * The guest is gone, however it went: takes what its memory still holds, ends
 * the open spans, ends the capture and calls every sink's `end`. Once; other
 * calls but gt_host_free() fail with -EINVAL afterwards. `message` may be NULL.
 * Returns the first error of capture and sinks during the whole run.
 */
int gt_host_finish(struct gt_host *host, enum gt_ending ending,
                   uint32_t status, const char *message);

/* ---- Captures ------------------------------------------------------------ */

struct gt_replay_options {
	size_t size; /* sizeof(struct gt_replay_options) */
	/*
	 * Reads up to `count` bytes; 0 at the end, < 0 an errno.
	 */
	long (*read)(void *context, void *bytes, size_t count);
	void *context;
	struct gt_sink *const *sinks;
	size_t sink_count;
	uint32_t index; /* of this trace among those the sinks are shown */
	struct gt_limits limits;
	/* Called now and then with the bytes read so far; NULL: never. */
	void (*progress)(void *context, uint64_t bytes);
};

/*
 * Reads a capture and shows it to the sinks as the live run did. A damaged
 * frame is skipped and counted, a torn end counted in `cut_bytes`. Errors:
 * GT_ERROR_NOT_A_CAPTURE, GT_ERROR_BAD_VERSION, -ENOMEM, or what `read` or a
 * sink returned.
 */
int gt_replay(const struct gt_replay_options *options);

/*
 * Shows each site of a site table (the bytes of a guest's gt_sites section) to
 * `show`, in their order. Returns 0, GT_ERROR_BAD_SITES, -ENOMEM or what `show`
 * returned.
 */
int gt_sites_list(const void *bytes, size_t count,
                  int (*show)(void *context, const struct gt_site_view *site,
                              enum gt_site_kind kind),
                  void *context);

/* The same for the site tables of a capture. */
int gt_capture_sites(long (*read)(void *context, void *bytes, size_t count),
                     void *read_context,
                     int (*show)(void *context,
                                 const struct gt_site_view *site,
                                 enum gt_site_kind kind),
                     void *show_context);

#endif
