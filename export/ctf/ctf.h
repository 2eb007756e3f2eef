/* SPDX-License-Identifier: MIT */
/*
 * A CTF 1.8 trace (diamon.org/ctf/v1.8.3): ctf.c is the sink and says which
 * event has which values, ctf_stream.c makes packets, ctf_classes.c the classes
 * of events as they occur, ctf_metadata.c the text that describes it all.
 */
#ifndef GUESTTRACE_CTF_H
#define GUESTTRACE_CTF_H

#include "export/out/out.h"
#include "export/run/runs.h"

#include <guesttrace/keyed_hash.h>

/* Classes of one run: beyond either limit the fields become one JSON text. */
#define GT__CTF_CLASSES_MAX      4096u
#define GT__CTF_METADATA_MAX     (16u << 20) /* bytes of their declarations */
#define GT__CTF_CLASS_FIELDS_MAX 256u

enum gt__ctf_kind {
	GT__CTF_BEGIN,
	GT__CTF_END,
	GT__CTF_EVENT,
	GT__CTF_COUNTER,
	GT__CTF_KINDS,
};

/* Ids of classes that are always there; the sites' follow. */
enum {
	GT__CTF_GENERIC = 0, /* plus the kind */
	GT__CTF_GUEST = GT__CTF_KINDS,
	GT__CTF_EXIT,
	GT__CTF_WORK,
	GT__CTF_FIRST,
};

struct gt__ctf_class {
	const struct gt_site_view *site;
	uint64_t hash;
	enum gt__ctf_kind kind;
	uint32_t next; /* in its hash chain: index + 1; 0 = none */
	uint32_t id;
	size_t field_count;
	struct gt__ctf_field {
		char *key;
		size_t key_bytes;
		enum gt_type type;
	} * fields;
};

#define GT__CTF_CHAINS 1024u

struct gt__ctf_classes {
	struct gt__ctf_class *classes;
	uint32_t count, size;
	uint32_t chains[GT__CTF_CHAINS]; /* index + 1; 0 = empty */
	struct gt__hash_key key;
	struct gt__out metadata; /* their declarations */
	struct gt__out keys;     /* env: keys that had to be changed */
};

void gt__ctf_classes_fini(struct gt__ctf_classes *classes);
/* The class of a record of that kind; its id, GT__CTF_GENERIC + kind if there
 * are too many. 0 or -ENOMEM. */
int gt__ctf_class(struct gt__ctf_classes *classes, enum gt__ctf_kind kind,
                  const struct gt_site_view *site,
                  const struct gt_field *fields, size_t count,
                  uint32_t *ret_id);

/* ---- ctf_metadata.c ------------------------------------------------------ */

/* A string of TSDL; what a terminal would act on as \u{...}. */
void gt__ctf_put_literal(struct gt__out *out, struct gt_text text);
/* The beginning of an event's declaration up to its own payload. */
void gt__ctf_put_head(struct gt__out *out, enum gt__ctf_kind kind, uint32_t id,
                      const struct gt_site_view *site);
/* All of it, around what the classes say. */
void gt__ctf_put_metadata(struct gt__out *out, const struct gt_trace *trace,
                          const struct gt_summary *summary,
                          const struct gt__ctf_classes *classes);

/* ---- ctf_stream.c -------------------------------------------------------- */

/* The time of the trace at which its clock is 0. */
uint64_t gt__ctf_offset_ns(const struct gt_trace *trace);

struct gt__ctf_stream {
	struct gt__out out; /* the packet, and where it goes */
	bool open;
	uint64_t first_ns, last_ns; /* of the packet; as the clock counts */
	uint64_t packets;
	uint64_t discarded; /* events, since the beginning */
};

/* Which of the trace's two kinds of stream. */
enum gt__ctf_stream_id {
	GT__CTF_RECORDS = 0,
	GT__CTF_HOST = 1,
};

/* The header of an event; a time before the stream's last becomes that one. */
void gt__ctf_begin_event(struct gt__ctf_stream *stream,
                         const struct gt_trace *trace,
                         enum gt__ctf_stream_id stream_id, uint32_t id,
                         uint64_t time_ns);
/* Writes the packet if it is large, or with `all`. The sticky error. */
int gt__ctf_packet(struct gt__ctf_stream *stream, const struct gt_trace *trace,
                   enum gt__ctf_stream_id stream_id, uint32_t vcpu, bool all);

/*
 * So many events more are missing, from `from_ns` up to `by_ns`: a packet of
 * its own, and the one before ends no earlier than there, since readers count
 * from the end of the packet before. The sticky error.
 */
int gt__ctf_discard(struct gt__ctf_stream *stream, const struct gt_trace *trace,
                    uint32_t vcpu, uint64_t events, uint64_t from_ns,
                    uint64_t by_ns);

void gt__ctf_put_u8(struct gt__out *out, uint8_t value);
void gt__ctf_put_u32(struct gt__out *out, uint32_t value);
void gt__ctf_put_u64(struct gt__out *out, uint64_t value);
/* Ends with a NUL: one within is written as \u{0}. */
void gt__ctf_put_string(struct gt__out *out, struct gt_text text);
void gt__ctf_put_field(struct gt__out *out, const struct gt_field *field);

#endif
