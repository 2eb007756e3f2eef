/* SPDX-License-Identifier: MIT */
/*
 * Record spans and events inside a virtual machine.
 *
 * Conventions. Nothing here fails: what cannot be recorded is counted, and the
 * host shows the count. Nothing allocates, locks or waits; with GT_RING_FLUSH a
 * full ring costs one VM exit. Names, keys and targets are string literals.
 * Macros take a span itself, functions take its address. A macro evaluates each
 * value once, before it touches the ring, and only while the site is on.
 *
 * Contexts. Every vCPU records into rings of its own, found by GT_THIS_VCPU().
 * Interrupt, exception and NMI handlers may record at any moment, on condition
 * that they return in the reverse order of their arrival on the same vCPU. One
 * that interrupts gt_switch() records, but does not call gt_switch() itself.
 *
 * Preemption. A guest whose scheduler may give the vCPU to another thread while one
 * is inside a call of this library, to come back in any order, says so in one of
 * two ways. With GT_ENTER() and GT_LEAVE() it does not do so for the few
 * instructions of a record: they raise and lower the count of a scheduler that
 * must wait, or clear and restore the interrupt flag. Nothing is lost then that
 * would not be lost without threads. They do not nest; values are evaluated
 * before; the scheduler names the threads with gt_switch(), which calls neither.
 *
 * A scheduler that cannot wait defines GT_PREEMPTIBLE. Then:
 *   - The scheduler names the threads with gt_switch(), which is not preempted.
 *   - A thread goes on, within a call, on the vCPU on which it was preempted.
 *   - Each thread preempted inside a record keeps one of the four levels until
 *     it goes on. Records that find none free are lost and counted.
 *   - gt_abandon() is called only where no other thread is inside a call.
 *   - Nothing is torn and all counts are exact. Parents are, as long as nothing
 *     is lost; a record that was under way when its thread lost its turn may be
 *     shown in another context if the record of the return was lost.
 *
 * C++. A guest may be gnu++11 or later, with -fno-exceptions; the library is C.
 * With gcc no site stands in a template or in a function that is `inline`, which
 * one defined inside its class is: the compiler says "section type conflict".
 *
 * Settings, defined before this header or on the compiler's command line, the
 * same for all files of a guest and for the library:
 *   GT_TARGET       what filters select; default: the file's name. Read where a
 *                   site stands, so that it may change within a file
 *   GT_LEVEL_MAX    more verbose sites make no code; default: GT_TRACE
 *   GT_THIS_VCPU()  expression for the caller's struct gt_vcpu *
 *   GT_PREEMPTIBLE  threads are preempted inside records: see above. The ring
 *                   is taken with an atomic exchange
 *   GT_ENTER(), GT_LEAVE()
 *                   statements: from one to the other the thread keeps its vCPU.
 *                   Default: nothing
 *   GT_TSC()        expression for the timestamp counter; default: rdtsc
 *   GT_TSC_FENCED   no GT_TSC() of your own, but `lfence; rdtsc`: the CPU reads
 *                   no time before it has done what comes earlier in the
 *                   program, which a bare rdtsc may overtake by some ns
 *   GT_OUT_OF_LINE  sites call the library instead of recording where they
 *                   stand: a third of the code. May differ from file to file
 *   GT_NO_FUNCTION  sites do not say which function they stand in: 8 bytes less
 *                   each, and no address for a loader to relocate
 *   GT_MEMCPY       name of another memcpy, which copies the strings of records:
 *                   where handlers record and may not call the usual one
 *   GT_DOORBELL     name of a `void f(uint64_t operation, uint64_t control_gva)`
 *                   of the embedder's that leaves the VM; default: port 104
 *   GT_BATCH_EXIT   the same for a batch of a Hyperlight wire, name of a
 *                   `void f(const void *batch, size_t bytes)`: the host has
 *                   taken the bytes when it returns
 */
#ifndef GUESTTRACE_GUEST_H
#define GUESTTRACE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <guesttrace/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef GT_TARGET
#ifdef __FILE_NAME__
#define GT_TARGET __FILE_NAME__
#else
#define GT_TARGET __FILE__
#endif
#endif
#ifndef GT_LEVEL_MAX
#define GT_LEVEL_MAX GT_TRACE
#endif
#ifndef GT_THIS_VCPU
#define GT_THIS_VCPU() (&gt_vcpu0)
#endif
#ifndef GT_TSC
#ifdef GT_TSC_FENCED
#define GT_TSC() gt__rdtsc_fenced()
#else
#define GT_TSC() gt__rdtsc()
#endif
#endif

/* The only vCPU of a guest that has one. Read it; only the library writes. */
extern struct gt_vcpu gt_vcpu0;
/* The control block. Its `context` is what the host said of the trace. */
extern struct gt_control gt_control;

/*
 * A span from opening to closing. All zero: no span, and every call on it does
 * nothing. The owner may copy it to move it, and then uses the copy alone.
 */
struct gt_span {
	uint64_t id;
	uint64_t previous; /* what was current when this one was entered */
	uint32_t site;     /* 0: recorded by an encoder */
	uint16_t entered;  /* times, by gt_enter() */
	uint16_t again;    /* of them, while it was current */
};

#define GT_BATCH_BYTES_MIN 1024u

/* Called by the library alone. */
typedef void gt_encoder_fn(unsigned operation, const struct gt_site *site,
                           struct gt_span *span, const uint64_t *arguments);

struct gt_options {
	size_t size; /* sizeof(struct gt_options), so that it can grow */
	/*
	 * Memory for the thread level of all vCPUs, shared out evenly, each share
	 * rounded down to a power of two of at least GT_RING_BYTES_MIN bytes and
	 * at most GT_RING_BYTES_MAX. Aligned to 8 bytes, or a part of it is
	 * wasted. The library keeps it.
	 */
	void *ring;
	size_t ring_bytes;
	enum gt_ring_mode mode;
	/* 1..GT_VCPUS_MAX of them, zeroed; NULL: one, gt_vcpu0. Kept. */
	struct gt_vcpu *vcpus;
	uint32_t vcpu_count;
	/*
	 * Memory for the three nested levels of all vCPUs, shared out like
	 * `ring`. NULL: the library's own for gt_vcpu0, none for others, whose
	 * handlers' records are then counted as lost while they interrupt one.
	 */
	void *nested;
	size_t nested_bytes;
	/*
	 * Sites up to this level are on without a host's word. GT_OFF: none, or
	 * all with an encoder, because its host cannot switch them.
	 */
	enum gt_level level;
	/*
	 * NULL: rings, as above, for a host that knows guesttrace. Or what to
	 * record with instead: gt_hyperlight_0_11 or gt_hyperlight_0_12. Rings
	 * are then unused, and the rest of these options says how:
	 */
	gt_encoder_fn *encoder;
	/*
	 * Memory for a batch, aligned to 8 bytes, at least GT_BATCH_BYTES_MIN
	 * of them; batches are at least 8 bytes shorter. NULL: the library's
	 * own, for batches of up to 4,096 bytes, the most that Hyperlight takes
	 * from 0.13 on. Kept.
	 */
	void *batch;
	size_t batch_bytes;
	/* 0.11: a batch leaves with its n-th event. 0: as Hyperlight, 30. */
	uint32_t batch_events;
	/*
	 * Behave as Hyperlight's own guest in everything, defects included. On
	 * 0.11 that has no limit of bytes, so give `batch` room for 30 events.
	 */
	bool compat_strict;
};

/*
 * Hyperlight's two wire formats, the second of which began with its version
 * 0.12. For guests with one vCPU. A guest that names neither links neither.
 *
 * Values become text. What these wires have no room for is left out: counters,
 * levels, links, status, file and line, the target of an event. Nested records
 * made while one is being written are lost and counted (gt_vcpu.lost), as are,
 * on 0.11, late fields of a span whose opening has left. An event too long for
 * any batch is cut; its last field `guesttrace.cut` is the number of bytes that
 * are missing, and gt_vcpu.cut counts such events.
 */
extern gt_encoder_fn gt_hyperlight_0_11;
extern gt_encoder_fn gt_hyperlight_0_12;

/*
 * Sets up the rings and announces them to the host by one VM exit, during which
 * the host switches sites on. Called once, by one vCPU, before any other call;
 * sites are off before it. With unusable options every record counts as lost.
 */
static inline void gt_init(const struct gt_options *options);

/*
 * Asks the host to take what all rings hold: one VM exit. Any vCPU. On a
 * Hyperlight wire: sends the batch unless it is empty.
 */
void gt_flush(void);

/*
 * A guest that serves call after call of its host says where one begins and
 * ends; gt_init() begins the first. To Hyperlight a call is the unit of time
 * keeping and of a trace: beginning one reads the clock anew, ending one closes
 * what is still entered and sends the batch. The last thing to do before a halt
 * or a death, even out of a handler that interrupted a recording. On the native
 * wire a beginning is nothing, and an end is gt_flush().
 */
void gt_call_begin(void);
void gt_call_end(void);

/* Turns on the sites up to `level` and off all others, as a host would. */
void gt_set_level(enum gt_level level);

/*
 * Says that this vCPU now runs `context`, any number of the guest's choice (a
 * thread, a task, a request; 0 at start). Each has its own stack of entered
 * spans. `current` becomes the current span: what an earlier call returned for
 * that context, 0 for a new one. Returns the span that was current.
 */
uint64_t gt_switch(uint64_t context, uint64_t current);

/*
 * Says that what was interrupted on this vCPU never continues (the handler
 * unwinds past it, or it was a dying thread): gives back the levels it held and
 * leaves all spans it had entered; they stay open.
 */
void gt_abandon(void);

/*
 * The innermost entered span of this vCPU, 0 = none. One word is all the guest
 * knows of the stack: where spans are exited in another order than entered, the
 * host still gets the parents right, but this may name one that has been left.
 */
static inline uint64_t gt_current(void);

#define GT_TRACEPARENT_BYTES 56u /* with its NUL */

/*
 * The W3C traceparent of the span with this id, or with 0 of what the host was
 * told is above the run: for requests to others. False, with an empty string:
 * no host has announced a trace, or nothing is above the run. On a Hyperlight
 * wire it is always false: hosts there do not say.
 */
bool gt_traceparent(uint64_t id, char ret_text[GT_TRACEPARENT_BYTES]);

/*
 * The same of a span that is part of another trace: the one that `remote`
 * names, which is what gt_parent_remote() was given. False also if that is
 * none.
 */
bool gt_traceparent_in(const char *remote, uint64_t id,
                       char ret_text[GT_TRACEPARENT_BYTES]);

/*
 * The same of a span with gt_new_trace(). What is below it finds its own with
 * gt_traceparent_in(), from this.
 */
bool gt_traceparent_new(uint64_t id, char ret_text[GT_TRACEPARENT_BYTES]);

/*
 * The W3C tracestate that goes with any of them, of up to GT_TRACESTATE_BYTES;
 * "" if there is none. Static storage.
 */
const char *gt_tracestate(void);

/*
 * Makes an open span the current one, parent of what is recorded next. As often
 * as one likes, and on several vCPUs and in several contexts at once: each time
 * is undone by itself.
 */
void gt_enter(struct gt_span *span);
/*
 * Undoes the latest gt_enter() of this context, wherever the span stands among
 * the entered ones; where it is not entered, that of another.
 */
void gt_exit(struct gt_span *span);
/* Exits and ends the span, and clears *span: closing twice is harmless. */
void gt_close(struct gt_span *span);

/*
 * GT_EVENT(level, "name", fields...)        something happened, now
 * GT_COUNTER(level, "name", fields...)      numeric fields: values over time
 *                                           (a key may say more: "sent [+By]",
 *                                           a total of bytes, docs/guests.md)
 * GT_SPAN(s, level, "name", fields...)      declares span s, entered, until the
 *                                           end of the block on every way out;
 *                                           no goto or switch jumps over it
 * GT_OPEN(s, level, "name", fields...)      opens s, a struct gt_span of the
 *                                           caller's, without entering it
 * GT_RECORD(s, fields...)                   adds fields to the open span s
 *
 * Up to GT_SITE_FIELDS_MAX field words:
 *   gt_u64("key", v)  gt_i64("key", v)  gt_f64("key", v)  gt_bool("key", v)
 *   gt_ptr("key", v)                   any pointer
 *   gt_str("key", s)                   NUL-terminated UTF-8, copied; NULL reads
 *                                      "(null)"
 *   gt_strn("key", s, n)  gt_bytes("key", p, n)
 * and, for spans (the parents for events too):
 *   gt_parent(s)  gt_root()            instead of the current span as parent;
 *                                      a span that is off is no parent: a root
 *   gt_link(s)                         this span has to do with span s
 *   gt_parent_id(id)  gt_link_id(id)   by the `id` of a struct gt_span, or what
 *                                      gt_current() returned
 *   gt_link_remote(traceparent)        ... with a span of another process, in
 *                                      W3C form, a NUL-terminated string
 *   gt_ok()  gt_error(text)            how it went
 * and, for spans where they open, on all wires:
 *   gt_parent_remote(traceparent)      the parent is a span of another process,
 *                                      in W3C form, a NUL-terminated string: it
 *                                      and all below it are of that trace. ""
 *                                      and what is none change nothing
 *   gt_parent_state(tracestate)        beside it
 *   gt_new_trace()                     it and all below it are of a new trace
 *   gt_kind(word)                      "server", "client", "producer",
 *                                      "consumer" or "internal"
 *
 * Strings of one record share about 1,800 bytes (gt_vcpu.text_bytes_max), the
 * first ones first; what does not fit is cut, flagged and counted. A function
 * in a header that has a site must be `static inline`.
 */

/* Here, so that compilers name this file first when a macro is misused. */
#ifdef __cplusplus
#define GT_STATIC_ASSERT_ static_assert
#else
#define GT_STATIC_ASSERT_ _Static_assert
#endif

/* clang-format off */
#define GT_EVENT(level, ...)                                                   \
	GT_INSTANT_(GT_SITE_EVENT, GT_RECORD_EVENT, level, __VA_ARGS__)
#define GT_COUNTER(level, ...)                                                 \
	GT_INSTANT_(GT_SITE_COUNTER, GT_RECORD_COUNTER, level, __VA_ARGS__)

#define GT_SPAN(span, level, ...)                                              \
	GT_LEVELED_SITE_(span##_site_, GT_SITE_SPAN, level, __VA_ARGS__);      \
	__attribute__((cleanup(gt__scope_end), unused)) struct gt_span span = {\
		0, 0, 0, 0, 0};                                                \
	do {                                                                   \
		const uint8_t gt_state_ = GT_STATE_(span##_site_, level);      \
		if (__builtin_expect(gt_state_, 0))                            \
			GT_PUT_(GT_RECORD_SPAN, span##_site_,                  \
				gt_state_ == GT_SITE_OUT_OF_LINE, &span, 0, 0, \
				gt__opened(&span, gt_slot_, gt_vcpu_,          \
					   GT_SITE_ID_(span##_site_), true),   \
				__VA_ARGS__)                                   \
	} while (0)

#define GT_OPEN(span, level, ...)                                              \
	do {                                                                   \
		GT_LEVELED_SITE_(gt_site_, GT_SITE_SPAN, level, __VA_ARGS__);  \
		struct gt_span *const gt_span_ = &(span);                      \
		*gt_span_ = (struct gt_span){0, 0, 0, 0, 0};                   \
		const uint8_t gt_state_ = GT_STATE_(gt_site_, level);          \
		if (__builtin_expect(gt_state_, 0))                            \
			GT_PUT_(GT_RECORD_OPEN, gt_site_,                      \
				gt_state_ == GT_SITE_OUT_OF_LINE, gt_span_, 0, \
				0,                                             \
				gt__opened(gt_span_, gt_slot_, gt_vcpu_,       \
					   GT_SITE_ID_(gt_site_), false),      \
				__VA_ARGS__)                                   \
	} while (0)

#define GT_RECORD(span, ...)                                                   \
	do {                                                                   \
		GT_SITE_(gt_site_, GT_SITE_FIELDS, GT_OFF, GT_SITE_NATIVE,     \
			 "", __VA_ARGS__);                                     \
		const struct gt_span gt_span_ = (span);                        \
		if (GT_LEVEL_MAX > GT_OFF && gt_span_.id)                      \
			GT_PUT_(GT_RECORD_FIELDS, gt_site_, !gt_span_.site,    \
				NULL, gt_span_.id, 8,                          \
				gt_at_[0] = gt_span_.id, "", __VA_ARGS__)      \
	} while (0)

/* clang-format on */

#include <guesttrace/guest_inline.h>

#ifdef __cplusplus
}
#endif

#endif
