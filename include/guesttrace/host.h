/* SPDX-License-Identifier: MIT */
/*
 * Read the trace of a guest: the library that a VMM embeds.
 *
 * Errors. Functions return 0 or a negative code: an errno, or one of enum
 * gt_error. gt_error_text() names it. An error leaves everything as it was,
 * counters aside, unless a function says otherwise. What a guest does wrong is
 * counted (struct gt_losses) and reported by the code, and never keeps the host
 * from going on.
 *
 * Ownership. The caller owns what it passes in; options and strings are copied,
 * sinks must outlive the host, and so must guest memory, unless
 * gt_host_set_memory() says otherwise. No pointer into guest memory is kept,
 * and every byte is copied before it is looked at. Results named ret_... are
 * stored on success only.
 *
 * Threads. One struct gt_host serves one VM. Its functions may be called from
 * any thread; a lock of its own orders them. Sinks are called under that lock.
 *
 * The library never prints, exits, or touches guest memory but for what
 * format.md calls "written by the host".
 */
#ifndef GUESTTRACE_HOST_H
#define GUESTTRACE_HOST_H

#include <guesttrace/export.h>
#include <guesttrace/host_error.h>
#include <guesttrace/host_memory.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As an offset of a vCPU's TSC: the VMM cannot know it. See struct gt_exit. */
#define GT_TSC_OFFSET_UNKNOWN INT64_MIN

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
	/*
	 * The TSC that the guest read since its last entry, from that of the
	 * host: guest = (host * tsc_ratio >> tsc_ratio_shift) + tsc_offset, in
	 * 128 bits. Ratio 0: they run at the same rate. Who moves it calls
	 * gt_host_drain() before: clocks.md, "Offset and scaling".
	 *
	 * GT_TSC_OFFSET_UNKNOWN, on the Hyperlight wires: it is estimated from
	 * the batches, the ratio is taken for 0, and the error bound says what
	 * is not known. On the native wire that is offset 0.
	 */
	int64_t tsc_offset;
	uint64_t tsc_ratio;
	uint32_t tsc_ratio_shift; /* 0..63; AMD 32, Intel 48 */
	/*
	 * How long the vCPU's thread has been ready without running, in all:
	 * its run-queue wait. 0 if it is not known. It never falls.
	 */
	uint64_t waited_ns;
};

/* One reading of the host's clocks. */
struct gt_clock_reading {
	uint64_t tsc;          /* host TSC */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC at that moment */
	uint64_t realtime_ns;  /* CLOCK_REALTIME at that moment */
	uint64_t boottime_ns;  /* CLOCK_BOOTTIME likewise; 0: as MONOTONIC */
	uint64_t gap_ns;       /* the two times lie at most this far off */
};

struct gt_limits {
	uint32_t open_spans;    /* default 65,536 */
	size_t span_bytes;      /* fields and events of open spans; 64 MiB */
	size_t ring_bytes;      /* of one level of one vCPU, with `has_holes` of
	                           all together; 64 MiB */
	size_t sites_bytes;     /* of the site table; 4 MiB */
	uint32_t contexts;      /* contexts with entered spans; 4,096 */
	uint32_t exits;         /* that wait for records, per vCPU; 65,536 */
	uint32_t announcements; /* 16 */
	size_t batch_bytes; /* of a Hyperlight batch; 1 MiB, and at most that */
	size_t name_bytes;  /* of the names on a Hyperlight wire; 16 MiB */
	uint32_t fields;    /* of one span, those that come late, too; 4,096 */
	size_t value_bytes; /* of one text: more is cut; 65,536 */
	size_t rings_bytes; /* of all rings; 256 MiB, at most guest memory */
	/*
	 * What one guest may cost a live host. Over a limit of records, they stay
	 * in its rings, where the guest itself counts what finds no room, and
	 * batches are dropped; exits over theirs are neither shown nor served.
	 * The last look, when the guest is gone, is free. 0: any.
	 */
	uint64_t record_bytes_per_s; /* in bursts of a second's worth */
	uint64_t record_bytes;       /* in all */
	uint64_t exits_per_s;
	uint64_t records_per_s, records, exits_in_all;
};

struct gt_host_options {
	size_t size; /* sizeof(struct gt_host_options), so that it can grow */
	struct gt_memory_slot memory[GT_MEMORY_SLOTS_MAX];
	uint32_t memory_slots; /* 0: see gt_host_set_memory() */
	uint32_t vcpus;        /* 1..GT_VCPUS_MAX; 0: 1 */
	/* Called in this order; NULL ends the list early. Not freed. */
	struct gt_sink *const *sinks;
	size_t sink_count;
	/* Where the capture goes; `write` NULL: none is written. */
	struct gt_output capture;
	const char *filter; /* see gt_host_set_filter(); NULL: "trace" */
	/*
	 * What the guest speaks. On a Hyperlight wire there are no sites to
	 * switch (see gt_host_set_filter()), and no rings to drain: what does
	 * not leave the guest in a batch does not arrive.
	 */
	enum gt_wire wire;
	/* Hyperlight: take batches on GT_PORT_TRACE only, not on any exit. */
	bool no_piggyback;
	const char *guest_name, *vm_name, *backend; /* UTF-8, or NULL */
	const char *traceparent; /* W3C; NULL: a new trace with random id */
	struct gt_limits limits; /* zeros are the defaults */
	/* Reads the clocks; NULL: rdtsc and clock_gettime(). */
	void (*read_clock)(void *context, struct gt_clock_reading *ret_reading);
	void *clock_context;
	/*
	 * Ticks per second of the host's TSC, and who says so; 0: CPUID, or
	 * else what the readings give. Nothing is placed in time by it: it is
	 * compared with the readings and reported.
	 */
	uint64_t tsc_hz;
	enum gt_clock_source tsc_source;
	/* Fills `count` random bytes, in gt_host_new() alone; NULL:
	 * getrandom(). */
	void (*random)(void *context, void *bytes, size_t count);
	void *random_context;
	/*
	 * Of this run, for who reads the trace elsewhere; NUL-terminated UTF-8,
	 * or NULL: the GNU build id of the guest's image in hex, an id that no
	 * other VM has (a UUID, for example), and the name of this machine.
	 */
	const char *guest_build_id, *vm_id, *host_name;
	/* W3C, beside `traceparent`; NULL, or no traceparent: none. */
	const char *tracestate;
	/*
	 * Sets the sampled bit of the run's trace flags, and of those of other
	 * traces that the guest begins or takes part in. All is recorded.
	 */
	struct gt_sampler sampler;
	/*
	 * The guest is gone, and so may be pages of its memory. What is missing
	 * costs what lay there and no more, and gt_host_missing() counts it.
	 */
	bool has_holes;
};

/*
 * Whether a host of that wire would take such a filter: 0, or the code. Shows
 * the target of each directive that has one to `show`, which may be NULL, and
 * returns what that returned if it is not 0.
 */
int gt_filter_check(enum gt_wire wire, const char *filter,
                    int (*show)(void *context, struct gt_text target),
                    void *context);
/* Whether it switches such a site on; a filter that is none does not. */
bool gt_filter_admits(const char *filter, const struct gt_site_view *site);

/* Whether gt_host_new() would take such a text: 0, or the code. */
int gt_check_traceparent(const char *text);
int gt_check_tracestate(const char *text);

struct gt_host;

/*
 * Makes the host side of one VM. Nothing of the guest is read before its first
 * exit. Errors: -EINVAL (options), -ENOMEM, GT_ERROR_BAD_FILTER,
 * GT_ERROR_BAD_TRACEPARENT, GT_ERROR_BAD_TRACESTATE, or what a sink's `begin`
 * or the capture's `write` returned.
 */
int gt_host_new(const struct gt_host_options *options,
                struct gt_host **ret_host);

/* NULL is allowed. Neither finishes nor frees the sinks. */
void gt_host_free(struct gt_host *host);

/*
 * The vCPU is about to run. Optional: without it the trace has no stretches of
 * the host (struct gt_host_span_view). `waited_ns` as in struct gt_exit.
 */
int gt_host_enter(struct gt_host *host, uint32_t vcpu, uint64_t waited_ns);

/* What gt_host_exit() says of an exit. */
enum gt_answer {
	GT_ANSWER_NONE = 0,  /* not ours, or not ours alone */
	GT_ANSWER_TAKEN = 1, /* ours: the VMM need not look at it */
	GT_ANSWER_WAKE = 2,  /* likewise; see gt_host_want_wake() */
};

/*
 * The vCPU has left the guest and stands still. Takes the guest's records if
 * the exit asks for it: OUT of width 1, count 1, on GT_PORT_TRACE with
 * GT_DOORBELL_MAGIC in r8. On a Hyperlight wire: OUT on any port but 105 to 107
 * or GT_EXIT_HALT, with GT_BATCH_MAGIC in r8, r9 and r10 the GVA and length of
 * a batch that is none of the latest. Returns enum gt_answer; or a negative
 * code if the exit asks for something impossible, which is counted: the guest
 * may go on. A guest that announces itself again replaces what it announced
 * before, even if that fails.
 */
int gt_host_exit(struct gt_host *host, uint32_t vcpu,
                 const struct gt_exit *exit);

/*
 * A batch of the host's Hyperlight wire that came out of the guest by another
 * way than its memory and registers: as the argument of a call to the host, for
 * example. On 0.12 several batches may follow each other in `bytes`. They are
 * copied, and may be anything: what is wrong with a batch that an exit names is
 * wrong here, and is counted likewise.
 *
 * `guest_tsc` is the TSC of `vcpu` when it handed the batch over, 0 if nobody
 * read it; `tsc_offset` as in struct gt_exit. Where the offset is unknown and
 * gt_host_enter() is called before the guest runs, it is known soonest.
 * Returns 0; -EINVAL on the native wire; GT_ERROR_BAD_VCPU, _EMPTY_BATCH,
 * _BATCH_TOO_LONG; -ENOMEM.
 */
int gt_host_batch(struct gt_host *host, uint32_t vcpu, const void *bytes,
                  size_t count, uint64_t guest_tsc, int64_t tsc_offset);

/*
 * The guest's RAM lies elsewhere from now on: these slots take the place of all
 * before. Call it with `count` 0, for none, before memory is unmapped or
 * replaced, and with what there is afterwards. From the first call on until the
 * next gt_host_exit() or gt_host_resumed(), which bring page tables, nothing of
 * the guest is read or written: gt_host_drain() finds nothing, and a filter
 * waits. A host that is handed its batches as bytes needs no memory at all.
 * Errors: -EINVAL, as of gt_host_new().
 */
int gt_host_set_memory(struct gt_host *host, const struct gt_memory_slot *slots,
                       uint32_t count);

/*
 * Takes what all rings hold, with the page tables of the last exit; the guest
 * may be running. Returns 1 if there was anything, 0 if not, or if the guest
 * has announced nothing yet; or the first code of what kept a ring from being
 * read, after all others were.
 */
int gt_host_drain(struct gt_host *host);

/*
 * For a thread of the VMM's that calls gt_host_drain() while the guest runs, so
 * that a full ring need not cost an exit: with `want` the guest rings
 * GT_DOORBELL_WAKE whenever it has filled a block, which gt_host_exit() answers
 * with GT_ANSWER_WAKE. (On KVM an ioeventfd on GT_PORT_TRACE, one byte long,
 * with GT_DOORBELL_AL_WAKE for its data, wakes the thread without an exit.)
 * Returns 0: the thread may sleep; 1: there is a block already, so it must not;
 * or why the guest could not be told. A thread should also wake by a clock:
 * what does not fill a block rings nothing.
 */
int gt_host_want_wake(struct gt_host *host, bool want);

/*
 * Reads the clocks, if records have come since the last time: call it every few
 * milliseconds while guests run that seldom exit. The lines on which times are
 * placed stay short, and with them the error bound: clocks.md.
 */
int gt_host_sample(struct gt_host *host);

/* With its NUL; a longer name is cut. */
#define GT_WORK_NAME_BYTES 64u

/*
 * The VMM itself does something for this vCPU, between its exit and its next
 * entry: a span of the trace, child of the guest's innermost open one, or of
 * the work that began before it on the same vCPU and is not over. Returns a
 * number for gt_host_work_end(), or 0: too much is open at once, or the run is
 * over.
 */
uint64_t gt_host_work_begin(struct gt_host *host, uint32_t vcpu,
                            const char *name);
/* -EINVAL if there is no such work. 0 is allowed and does nothing. */
int gt_host_work_end(struct gt_host *host, uint64_t work);

/*
 * Writes a capture of what the rings hold at this moment, the oldest record
 * that is still whole first, taken or not; the guest may be running. Neither
 * the guest nor the rest of the trace notices. What is older is not in it, so
 * spans may lack their beginning. The capture ends with GT_ENDING_SNAPSHOT.
 * Returns -ENOMEM, a code of the rings, or what `write` returned, which leaves
 * a torn capture.
 */
int gt_host_snapshot(struct gt_host *host, const struct gt_output *output);

/*
 * Ends the capture, by GT_ENDING_SNAPSHOT, and begins the next one at `next`;
 * NULL, or one without `write`: there is none from then on. Each is a capture of
 * its own, of the same trace and run. What is open goes on in the next, where
 * spans lack their beginning, and records that the guest has lost by then count
 * again. After the return nothing is written to the one before. Sinks notice
 * nothing. Returns -EINVAL once finished, -ENOMEM, a code of the rings, or what
 * `write` returned: of the next one, and the capture goes on where it was; or of
 * the one before, which has no end then. Any thread.
 */
int gt_host_rotate(struct gt_host *host, const struct gt_output *next);

/*
 * The VM's memory and registers were replaced by those of a snapshot, of this
 * VM or of another. Call it before the guest goes on, and gt_host_drain()
 * before the snapshot is restored, or what the rings held is lost. If memory
 * moved with it, gt_host_set_memory() comes before. `state` has the control
 * registers and the TSC of the restored `vcpu`, whose offset is to be read now:
 * a restore moves it. `control_gva` is what gt_host_control() said when the
 * snapshot was made, 0: as it is now; on a Hyperlight wire it is ignored.
 *
 * A new life begins, as at a second announcement, on every wire: open spans end
 * as interrupted, what the rings hold from before is not shown again, ids that
 * come once more get other names, losses count from here, and the control
 * block's generation rises. Returns 0, also if no guest was announced; or why
 * the control block cannot be used, which is counted.
 */
int gt_host_resumed(struct gt_host *host, uint32_t vcpu,
                    const struct gt_exit *state, uint64_t control_gva);

/* What has been lost so far, copied; also while the guest runs. Any thread. */
void gt_host_losses(struct gt_host *host, struct gt_losses *ret_losses);

/* GVA of the announced control block; 0: none. */
uint64_t gt_host_control(struct gt_host *host);

/*
 * Switches sites on and off, at once if the guest has announced itself, else
 * when it does; the guest may be running. `filter` is directives separated by
 * commas: LEVEL for all targets, TARGET=LEVEL for a target and all whose name
 * goes on with one of . : / behind it, TARGET for TARGET=trace; the longest
 * match holds, and what nothing matches is off. LEVEL is off, error, warn (or
 * warning), info, debug, trace or 0..5. Blanks around words and empty
 * directives mean nothing; a filter of none is "trace". At most 64 directives
 * and 65,536 bytes. On a Hyperlight wire,
 * which tells no levels, LEVEL is off or trace, and spans are left out by their
 * target, with the events inside of them: hyperlight.md. Errors:
 * GT_ERROR_BAD_FILTER, GT_ERROR_NO_LEVELS; or why a site could not be written,
 * after all others were.
 */
int gt_host_set_filter(struct gt_host *host, const char *filter);

/*
 * The guest is gone, however it went: takes what its memory still holds, ends
 * the open spans, ends the capture and calls every sink's `end`. Once; other
 * calls but gt_host_free() fail with -EINVAL afterwards. `message` may be NULL.
 * Returns the first error of capture and sinks during the whole run.
 */
int gt_host_finish(struct gt_host *host, enum gt_ending ending, uint32_t status,
                   const char *message);

/* ---- Captures ------------------------------------------------------------ */

struct gt_replay_options {
	size_t size; /* sizeof(struct gt_replay_options) */
	/* Reads up to `count` bytes; 0 at the end, < 0 an errno. */
	long (*read)(void *context, void *bytes, size_t count);
	void *context;
	struct gt_sink *const *sinks;
	size_t sink_count;
	uint32_t index; /* of this trace among those the sinks are shown */
	struct gt_limits limits;
	/* Called now and then with the bytes read so far; NULL: never. */
	void (*progress)(void *context, uint64_t bytes);
	/*
	 * Ends behind the capture's END, without asking for what may follow:
	 * of a capture that is being written, `read` may wait for more.
	 */
	bool stops_at_end;
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
 * `show`, in their order. `read` gives `count` bytes of the guest's image, which
 * are within a page of 4 KiB, for the names of functions: 0, or < 0 where there is
 * no such page; behind what the image has of it are zeros. NULL: no names. Returns
 * 0, GT_ERROR_BAD_SITES, -ENOMEM or what `show` returned.
 */
int gt_sites_list(const void *bytes, size_t count,
                  int (*read)(void *context, uint64_t gva, void *to,
                              size_t count),
                  void *read_context, gt_site_fn *show, void *show_context);

/* The same for the site tables of a capture. */
int gt_capture_sites(long (*read)(void *context, void *bytes, size_t count),
                     void *read_context, gt_site_fn *show, void *show_context);

/* ---- Hyperlight batches -------------------------------------------------- */

/* As in the union of wire format 0.12. */
enum gt_hyperlight_kind {
	GT_HYPERLIGHT_OPEN = 1,
	GT_HYPERLIGHT_CLOSE = 2,
	GT_HYPERLIGHT_LOG = 3,
	GT_HYPERLIGHT_EDIT = 4,  /* late fields of a span; 0.12 only */
	GT_HYPERLIGHT_START = 5, /* a guest call begins; 0.11: start_tsc */
};

/* Borrowed until `show` returns. The texts are valid UTF-8. */
struct gt_hyperlight_event {
	enum gt_hyperlight_kind kind;
	bool has_parent;       /* OPEN: there is a parent, if only 0 */
	bool cut;              /* a string is over the limit and is shown cut */
	uint64_t id;           /* OPEN, CLOSE, EDIT */
	uint64_t parent;       /* OPEN with has_parent; LOG, 0 = none */
	uint64_t tsc;          /* all but EDIT */
	struct gt_text name;   /* OPEN, LOG */
	struct gt_text target; /* OPEN */
	uint32_t field_count;  /* OPEN, LOG, EDIT: see gt_hyperlight_field() */
	/* For gt_hyperlight_field() alone. */
	uint32_t string_bytes_;
	const uint8_t *fields_;
};

struct gt_hyperlight_field {
	struct gt_text key, value;
};

#define GT_HYPERLIGHT_BATCH_BYTES (1u << 20)

struct gt_hyperlight_limits {
	size_t size;        /* sizeof(struct gt_hyperlight_limits) */
	size_t batch_bytes; /* default GT_HYPERLIGHT_BATCH_BYTES; < 2^31 */
	/*
	 * One for each table and string on the way, one more for each 16 bytes
	 * of a string, or 2 if it is not ASCII. Default: one per byte of batch.
	 */
	uint64_t visits;
	/*
	 * Of all that is shown: bytes of strings, 32 per event, 16 per field.
	 * Default: 16 per byte of batch.
	 */
	uint64_t output_bytes;
	size_t string_bytes; /* a longer one is shown cut; default: no limit */
};

#define GT_HYPERLIGHT_ERRORS \
	(1u + GT_ERROR_OVER_OUTPUT - GT_ERROR_BATCH_TOO_LONG)

struct gt_hyperlight_result {
	uint64_t events;  /* shown; the start of 0.11 is one */
	uint64_t refused; /* something in them was wrong */
	uint64_t unknown; /* of a kind that this wire does not have: skipped */
	uint64_t strings_cut;  /* in events shown */
	uint64_t output_bytes; /* of events shown */
	uint64_t visits;
	/* Accepted as Hyperlight does: */
	uint64_t
		wrong_prefixes; /* 0.11: it is not the number of bytes behind */
	uint64_t trailing_bytes; /* 0.11: behind what the prefix says;
	                            0.12: 1..3 */
	int first_error;         /* negative code, 0: none */
	size_t first_error_at;   /* where in the batch */
	/* By code: errors[GT_ERROR_NO_NAME - GT_ERROR_BATCH_TOO_LONG]. */
	uint32_t errors[GT_HYPERLIGHT_ERRORS];
};

/*
 * Shows the events of a batch of `wire`, GT_WIRE_HYPERLIGHT_0_11 or _0_12, to
 * `show` in their order. Checks what FlatBuffers' own verifiers check and more,
 * on `bytes` as they are: a private copy that nobody changes meanwhile, at any
 * alignment. Nothing is allocated.
 *
 * An event is shown if all of it is good. A bad one is refused and the next one
 * looked at, unless the way there is what is bad, or a limit is reached. Events
 * of an unknown kind are skipped. An empty batch of 0.12 is good.
 *
 * `limits` NULL or zeros in it are the defaults. `ret_result` is stored always
 * and may be NULL. Returns 0 if nothing was refused, else the first error,
 * -EINVAL (wire, limits), or what `show` returned if that is not 0, at once.
 */
int gt_hyperlight_decode(enum gt_wire wire, const void *bytes, size_t count,
                         const struct gt_hyperlight_limits *limits,
                         int (*show)(void *context,
                                     const struct gt_hyperlight_event *event),
                         void *context,
                         struct gt_hyperlight_result *ret_result);

/* Field `index` of an event being shown; both texts empty beyond the last. */
struct gt_hyperlight_field
gt_hyperlight_field(const struct gt_hyperlight_event *event, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
