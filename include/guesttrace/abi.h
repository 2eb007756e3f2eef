/* SPDX-License-Identifier: MIT */
/*
 * Layouts and numbers that a guest and its host share. No code, no pointers,
 * nothing but <stdint.h>. Everything is little-endian; every address is a guest
 * virtual address (GVA) unless its name says otherwise. The document format.md
 * explains the same layouts in prose, byte by byte.
 *
 * GT_ABI_VERSION rises whenever a byte here changes its meaning. A reader
 * ignores what is called "reserved"; a writer leaves it zero.
 */
#ifndef GUESTTRACE_ABI_H
#define GUESTTRACE_ABI_H

#include <stdint.h>

#define GT_ABI_VERSION 1u

/* ---- VM exits -------------------------------------------------------------
 *
 * A guest leaves with `out dx, al` or `out dx, eax`. The numbers are those of
 * Hyperlight, so that one guest runs on either host. On the native wire the
 * host acts on GT_PORT_TRACE alone: width 1, OUT, no repeat.
 */
enum gt_port {
	GT_PORT_LOG = 99,
	GT_PORT_CALL = 101,
	GT_PORT_ABORT = 102, /* eax = length and up to three bytes, see below */
	GT_PORT_PRINT = 103, /* one character in al */
	GT_PORT_TRACE = 104, /* r8, r9, r10: what to take */
	GT_PORT_ALLOCATE = 105,
	GT_PORT_FREE = 106,
	GT_PORT_TIMER = 107,
	GT_PORT_HALT = 108,  /* eax = exit status */
	GT_PORT_QUEUE = 109, /* Hyperlight from 0.18 on: look at a virtqueue */
};

/*
 * An abort is a run of bytes, sent at most three to a double word as
 * `length | b0 << 8 | b1 << 16 | b2 << 24`: an error code, optionally an x86
 * exception vector, a message, and 0xff, which ends it.
 */
#define GT_ABORT_BYTES_MAX 1024u
#define GT_ABORT_END       0xffu

/*
 * GT_PORT_TRACE on the native wire: r8 = GT_DOORBELL_MAGIC, r9 = GVA of the
 * control block, r10 = enum gt_doorbell | vCPU << 32. The guest clears r8
 * afterwards, for the sake of hosts that look at it on every exit.
 */
#define GT_DOORBELL_MAGIC UINT64_C(0x316563617274) /* "trace1" */

/*
 * The same port on the Hyperlight wires: r8 = GT_BATCH_MAGIC, r9 = GVA of the
 * batch, r10 = its length in bytes.
 */
#define GT_BATCH_MAGIC UINT64_C(104)

enum gt_doorbell {
	GT_DOORBELL_ANNOUNCE = 1, /* here is my control block */
	GT_DOORBELL_FLUSH = 2,    /* take what the rings hold */
	GT_DOORBELL_WAKE = 3,     /* a block is full, and you wanted to know */
};

/*
 * What the guest stores to the port: GT_DOORBELL_AL_WAKE for GT_DOORBELL_WAKE,
 * else 0. A hypervisor can turn that one value into an event without leaving
 * the guest (KVM_IOEVENTFD); the registers say nothing then.
 */
#define GT_DOORBELL_AL_WAKE 1u

/* ---- Boot information -----------------------------------------------------
 *
 * What `guesttrace run` hands to a guest: rdi points at it on entry. Only the
 * runner and the runtime of the example guests know it; the recorder does not.
 */
#define GT_BOOT_MAGIC UINT64_C(0x31746f6f627467) /* "gtboot1" */

enum gt_wire {
	GT_WIRE_NATIVE = 0,
	GT_WIRE_HYPERLIGHT_0_11 = 1,
	GT_WIRE_HYPERLIGHT_0_12 = 2,
};

struct gt_boot {
	uint64_t magic;
	uint32_t size; /* of this struct, bytes */
	uint32_t vcpu; /* which one is entering, from 0 */
	uint32_t vcpus;
	uint32_t wire;      /* enum gt_wire asked for */
	uint32_t ring_mode; /* enum gt_ring_mode asked for */
	uint32_t args_count;
	uint64_t args_gva; /* args_count strings, one after the other, each
	                      with its NUL; the first is the guest's name */
	uint64_t args_bytes;
	uint64_t heap_gva; /* memory that nothing else uses, zeroed */
	uint64_t heap_bytes;
	uint64_t memory_bytes; /* all of the guest's RAM */
};

/* ---- Sites ----------------------------------------------------------------
 *
 * A call site is one static record in the section `gt_sites`: this head, then
 * text. The text is NUL-terminated strings: name, target, file, then per field
 * one enum gt_type letter followed by the key. Sites begin at multiples of
 * GT_SITE_ALIGN bytes; whatever lacks the magic is padding. Of a site with one of
 * enum gt_site_flag the last 8 bytes are no text.
 */
#define GT_SITE_MAGIC      0x65746973u /* "site" */
#define GT_SITE_ALIGN      8u
#define GT_SITE_FIELDS_MAX 16u
/* Of a function's name, bytes without the NUL; a longer one is not taken. */
#define GT_SITE_FUNCTION_BYTES_MAX 255u

enum gt_site_state {
	GT_SITE_OFF = 0,
	GT_SITE_NATIVE = 1,      /* record into the ring, inline */
	GT_SITE_OUT_OF_LINE = 2, /* call the encoder of another wire */
};

enum gt_site_kind {
	GT_SITE_EVENT = 1,
	GT_SITE_SPAN = 2,
	GT_SITE_FIELDS = 3, /* late fields of a span; never filtered */
	GT_SITE_COUNTER = 4,
};

/* What the last 8 bytes of a site are: */
enum gt_site_flag {
	GT_SITE_FUNCTION = 1, /* address of the name of the function around it */
	GT_SITE_NAMED = 2,    /* host only: where in a SITES frame the name lies */
};

enum gt_level {
	GT_OFF = 0, /* for filters only; no site has it */
	GT_ERROR = 1,
	GT_WARN = 2,
	GT_INFO = 3,
	GT_DEBUG = 4,
	GT_TRACE = 5,
};

struct gt_site {
	uint8_t state;  /* enum gt_site_state; written by the host */
	uint8_t kind;   /* enum gt_site_kind */
	uint8_t level;  /* enum gt_level; 0 for GT_SITE_FIELDS */
	uint8_t fields; /* number of field texts */
	uint16_t size;  /* head and all behind it, bytes */
	uint16_t flags; /* enum gt_site_flag; others are ignored */
	uint32_t magic;
	uint32_t line;
};

/*
 * How a field is named in a site's text and stored in a record. "word" is an
 * 8-byte value; "text" is one word, stored length | full length << 32, then the
 * stored bytes padded to whole words. The last five say something of the span
 * itself and have an empty key.
 */
enum gt_type {
	GT_TYPE_U64 = 'u',         /* word */
	GT_TYPE_I64 = 'i',         /* word */
	GT_TYPE_F64 = 'f',         /* word, IEEE 754 binary64 */
	GT_TYPE_BOOL = 'b',        /* word, 0 or 1 */
	GT_TYPE_STRING = 's',      /* text, UTF-8 */
	GT_TYPE_BYTES = 'x',       /* text */
	GT_TYPE_POINTER = 'p',     /* word */
	GT_TYPE_PARENT = '^',      /* word: span id, 0 = a root */
	GT_TYPE_LINK = '&',        /* word: span id */
	GT_TYPE_LINK_REMOTE = '@', /* text: a W3C traceparent */
	GT_TYPE_OK = '.',          /* nothing: the status is ok */
	GT_TYPE_FAILED = '!',      /* text: the status is error, and why */
};

/* ---- Rings ----------------------------------------------------------------
 *
 * Each vCPU has one single-writer ring per nesting level. Positions count bytes
 * and never wrap; a byte of position p lies at `base_gva + (p & mask)`. What
 * lies below `pos` is whole. No record crosses a multiple of `block_bytes`, and
 * each block of level 0 opens with a GT_RECORD_SYNC.
 */
#define GT_LEVELS          4u /* thread, interrupt, exception, NMI */
#define GT_VCPUS_MAX       1024u
#define GT_BLOCK_BYTES_MIN 1024u
#define GT_RING_BYTES_MIN  4096u
#define GT_RING_BYTES_MAX  (UINT64_C(1) << 30)

enum gt_ring_mode {
	GT_RING_FLUSH = 0,     /* full: one doorbell, else drop and count */
	GT_RING_DROP = 1,      /* full: drop and count */
	GT_RING_OVERWRITE = 2, /* full: the oldest block goes */
};

struct gt_ring {
	/* The guest writes this cache line, the host reads it. */
	uint64_t pos;
	uint64_t limit; /* may record below here; 0: somebody is inside */
	uint64_t next;  /* the guest's own: what `limit` becomes next, or in a
	                   full ring when another doorbell is worth it */
	uint64_t base_gva;
	uint64_t mask;    /* ring bytes - 1 */
	uint64_t id_base; /* added to a position it makes a span id */
	uint64_t lost;    /* records that found no room */
	uint32_t block_bytes;
	uint32_t mode; /* enum gt_ring_mode */
	/* The host writes this one and never reads it back. */
	uint64_t tail; /* the guest may overwrite what lies below */
	uint64_t want; /* not 0: GT_DOORBELL_WAKE at the end of each block */
	uint64_t reserved[6];
};

struct gt_vcpu {
	uint64_t current; /* innermost entered span, 0 = none */
	uint64_t context; /* what gt_switch() named last */
	uint64_t lost;    /* records that found no free level */
	uint64_t cut;     /* strings that were cut */
	uint32_t index;
	uint32_t text_bytes_max; /* strings of one record, together */
	/* The guest's own: changes of `current` whose record was lost, and how
	 * many of them the last sync record made good. */
	uint64_t unsaid;
	uint64_t told;
	/* Likewise: how often spans were left or entered so that `current` may
	 * later name one that has been left, and how many of them are past. */
	uint32_t crossed;
	uint32_t straight;
	struct gt_ring ring[GT_LEVELS];
};

/* A span id is `position + id_base` of its opening record. */
#define GT_ID_VCPU_SHIFT 54u
#define GT_ID_MARK       4u /* keeps an id from being 0 */
#define GT_ID_BASE(vcpu, level) \
	((uint64_t)(vcpu) << GT_ID_VCPU_SHIFT | GT_ID_MARK | (uint64_t)(level))

/* ---- Control block ------------------------------------------------------- */
#define GT_CONTROL_MAGIC   UINT64_C(0x6c72746e6f637467) /* "gtcontrl" */
#define GT_CONTROL_ALIGN   4096u
#define GT_SITES_BYTES_MAX (16u << 20)

/* Written by the host. An exported span id is id_base + id, modulo 2^64, or 1
 * where that is 0. */
struct gt_context {
	uint8_t trace_id[16]; /* W3C order; all zero: no host has spoken */
	uint64_t parent_id;   /* span above the run, 0 = none */
	uint64_t id_base;
	uint32_t flags; /* W3C trace flags */
	uint32_t reserved;
};

/* W3C trace flags. */
enum gt_trace_flag {
	GT_TRACE_SAMPLED = 1,
	GT_TRACE_RANDOM = 2, /* the last 7 bytes of the trace id are */
};

/*
 * Which traces are sampled. Zeros: those whose parent is, and all that have
 * none (OpenTelemetry's parentbased_always_on).
 */
struct gt_sampler {
	uint64_t dropped;        /* of 2^63 traces without a parent */
	uint32_t ignores_parent; /* 1: and of all others, too */
	uint32_t reserved;
};

#define GT_SAMPLER_ALL (UINT64_C(1) << 63) /* as many there are to drop */

/*
 * GT_TRACE_SAMPLED or 0, by the id alone: the upper 63 bits of its last eight
 * bytes, of which the first is the highest, are below 2^63 - dropped. So it is
 * in OpenTelemetry's SDKs for Go, Rust and Python (traceidratio).
 */
static inline uint32_t gt_sampled_by_id(const struct gt_sampler *sampler,
                                        const uint8_t trace_id[16])
{
	uint64_t word = 0;

	for (unsigned i = 8; i < 16; i++)
		word = word << 8 | trace_id[i];
	return (word >> 1) + sampler->dropped < GT_SAMPLER_ALL
	               ? GT_TRACE_SAMPLED
	               : 0;
}

enum gt_control_flag {
	GT_CONTROL_PREEMPTIBLE =
		1, /* threads change in the middle of records */
};

struct gt_control {
	uint64_t magic; /* stored last */
	uint32_t version;
	uint32_t size;       /* of this struct, bytes */
	uint32_t generation; /* how often the host restored a snapshot */
	uint32_t vcpus;
	uint64_t vcpus_gva; /* array of struct gt_vcpu */
	uint32_t vcpu_bytes;
	uint32_t flags; /* enum gt_control_flag */
	uint64_t sites_gva;
	uint64_t sites_bytes;
	struct gt_context context;
	/* Room for the W3C tracestate above the run, with its NUL; 0: none.
	 * A control block that ends before this is one, too. */
	uint64_t tracestate_gva;
	uint32_t tracestate_bytes;
	/* 1: no site is on. Who switches sites writes it, too, to 0 before one is
	 * on; it saves records of switches, and need not be right. */
	uint32_t quiet;
	/* Written by the host at the announcement, unless it is all zeros. A
	 * control block that ends before this is one, too. */
	struct gt_sampler sampler;
	/* Where a reader in another process looks: all up to `owner` is
	 * written by the guest. A control block that ends before this is one,
	 * too. */
	uint64_t self_gva; /* of this block */
	uint64_t root; /* CR3 at gt_init() and later ends of blocks, where that
	                  can be read; 0: not known */
	/* Written by a host that attached itself; 0: nobody has. The host that
	 * the guest announced itself to writes GT_OWNER_VMM. */
	uint64_t owner;
	uint64_t lease_ticks; /* of the guest's TSC, likewise; 0: no end */
	uint64_t beat;        /* likewise: changes while the owner lives */
	/* The guest's own: the TSC at which the lease ends, and the last `beat`
	 * that it saw. */
	uint64_t lease_until_tsc;
	uint64_t beat_seen;
	uint64_t reserved_end;
};

#define GT_OWNER_VMM UINT64_C(1)

#define GT_TRACESTATE_BYTES 513u /* that a host writes at most, with the NUL \
	                          */

/* ---- Records --------------------------------------------------------------
 *
 * One word `site | words << 32 | kind << 48 | flags << 56`, the TSC, then what
 * the kind says. "values" are the fields of the site, in its order.
 */
enum gt_record_kind {
	GT_RECORD_PAD = 0,      /* up to the end of the block; has no TSC */
	GT_RECORD_SYNC = 1,     /* current, lost, cut, context */
	GT_RECORD_EVENT = 2,    /* values */
	GT_RECORD_COUNTER = 3,  /* values */
	GT_RECORD_OPEN = 4,     /* values; the span is not entered */
	GT_RECORD_SPAN = 5,     /* values; opened and entered */
	GT_RECORD_FIELDS = 6,   /* span id, values */
	GT_RECORD_ENTER = 7,    /* span id */
	GT_RECORD_EXIT = 8,     /* span id */
	GT_RECORD_CLOSE = 9,    /* span id; exits it as well */
	GT_RECORD_SWITCH = 10,  /* context, current */
	GT_RECORD_ABANDON = 11, /* nothing: what was entered here is left */
};

/* Flags of a record. */
#define GT_RECORD_CUT 1u /* a string of it was cut */
/*
 * Of a sync record, what was entered or left since the one before: all of it has
 * a record; some has none; some has none of spans that were not current, so that
 * `current` does not tell. None of them: the writer does not say.
 */
#define GT_RECORD_SAID   2u
#define GT_RECORD_UNSAID 4u
#define GT_RECORD_BELOW  8u
/* And `current` may name a span that has been left. */
#define GT_RECORD_CROSSED 16u
/* And `context` and `current` are those of a switch that has no record: they are
 * one. With GT_RECORD_SAID only. */
#define GT_RECORD_SWITCHED 32u

#define GT_RECORD_BYTES       16u /* head and TSC */
#define GT_SYNC_BYTES         48u
#define GT_SWITCH_BYTES       32u
#define GT_RECORD_SITE(head)  ((uint32_t)(head))
#define GT_RECORD_WORDS(head) ((uint32_t)((head) >> 32 & 0xffff))
#define GT_RECORD_KIND(head)  ((uint32_t)((head) >> 48 & 0xff))
#define GT_RECORD_FLAGS(head) ((uint32_t)((head) >> 56))

#endif
