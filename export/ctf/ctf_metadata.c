/* SPDX-License-Identifier: MIT */
/*
 * The metadata of a CTF trace: text in TSDL. What is the same for all records
 * of a site (target, level, place) is an enumeration with one label: a byte
 * per record, and every reader shows it.
 */
#include "ctf.h"
#include "export/out/escape.h"
#include "export/out/words.h"
#include <string.h>

void gt__ctf_put_literal(struct gt__out *o, struct gt_text text)
{
	size_t at = 0;

	gt__put_char(o, '"');
	while (at < text.count) {
		size_t from = at;
		uint32_t c = gt__next_code_point(&text, &at);

		if (gt__is_hidden(c)) {
			gt__put_char(o, '\\');
			gt__put_terminal(o, (struct gt_text){text.bytes + from,
			                                     at - from});
			continue;
		}
		if (c == '"' || c == '\\')
			gt__put_char(o, '\\');
		gt__put_utf8(o, (struct gt_text){text.bytes + from, at - from});
	}
	gt__put_char(o, '"');
}

static void put_string(struct gt__out *o, const char *name, struct gt_text text)
{
	gt__put_char(o, '\t');
	gt__put(o, name);
	gt__put(o, " = ");
	gt__ctf_put_literal(o, text);
	gt__put(o, ";\n");
}

static void put_uuid(struct gt__out *o, const uint8_t *bytes)
{
	static const uint8_t ends[] = {4, 6, 8, 10, 16};
	size_t i, from = 0;

	gt__put_char(o, '"');
	for (i = 0; i < sizeof ends; i++) {
		if (from)
			gt__put_char(o, '-');
		gt__put_hex_bytes(o, bytes + from, ends[i] - from);
		from = ends[i];
	}
	gt__put_char(o, '"');
}

/* ---- Types and streams --------------------------------------------------- */

static const char types[] =
	"typealias integer { size = 8; align = 8; signed = false; } := u8_t;\n"
	"typealias integer { size = 8; align = 8; signed = false; base = 16; } "
	":= byte_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := "
	"u32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := "
	"u64_t;\n"
	"typealias integer { size = 64; align = 8; signed = true; } := i64_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; base = 16; "
	"} := flags_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; "
	"} := pointer_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; "
	"} := span_id_t;\n"
	"typealias floating_point { exp_dig = 11; mant_dig = 53; align = 8; "
	"byte_order = le; } := f64_t;\n"
	"typealias enum : u8_t { \"false\" = 0, \"true\" = 1 } := boolean_t;\n"
	"typealias enum : u8_t { \"unset\" = 0, \"ok\" = 1, \"error\" = 2 } := "
	"status_t;\n";

static const char streams[] =
	"typealias integer { size = 64; align = 8; signed = false; "
	"map = clock.monotonic.value; } := time_t;\n"
	"struct packet_context {\n"
	"\ttime_t timestamp_begin;\n"
	"\ttime_t timestamp_end;\n"
	"\tu64_t content_size;\n"
	"\tu64_t packet_size;\n"
	"\tu64_t packet_seq_num;\n"
	"\tu64_t events_discarded;\n"
	"\tu32_t cpu_id;\n"
	"};\n"
	"struct event_header {\n"
	"\tu32_t id;\n"
	"\ttime_t timestamp;\n"
	"};\n"
	"stream {\n"
	"\tid = 0;\n"
	"\tpacket.context := struct packet_context;\n"
	"\tevent.header := struct event_header;\n"
	"\tevent.context := struct { u64_t late_ns; };\n"
	"};\n"
	"stream {\n"
	"\tid = 1;\n"
	"\tpacket.context := struct packet_context;\n"
	"\tevent.header := struct event_header;\n"
	"};\n";

static void put_trace(struct gt__out *o, const struct gt_trace *trace)
{
	gt__put(o, "trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = ");
	put_uuid(o, trace->trace_id);
	gt__put(o,
	        ";\n\tbyte_order = le;\n\tpacket.header := struct {\n"
	        "\t\tu32_t magic;\n\t\tu8_t uuid[16];\n\t\tu32_t stream_id;\n"
	        "\t};\n};\n");
}

static void put_number(struct gt__out *o, const char *name, uint64_t value)
{
	gt__put_char(o, '\t');
	gt__put(o, name);
	gt__put(o, " = ");
	gt__put_u64(o, value);
	gt__put(o, ";\n");
}

static void put_env(struct gt__out *o, const struct gt_trace *trace,
                    const struct gt_summary *summary,
                    const struct gt__ctf_classes *classes)
{
	const char *ending = gt__ending_word(summary->ending);
	size_t i;

	gt__put(o, "env {\n\tdomain = \"guest\";\n"
	           "\ttracer_name = \"guesttrace\";\n"
	           "\ttracer_version = \"" GT_VERSION "\";\n\ttrace_id = \"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put(o, "\";\n\trun_id = \"");
	gt__put_hex(o, trace->run_id, 16);
	gt__put(o, "\";\n\tparent_id = \"");
	gt__put_hex(o, trace->parent_id, 16);
	gt__put(o, "\";\n");
	put_string(o, "guest", trace->guest_name);
	put_string(o, "vm", trace->vm_name);
	put_string(o, "vm_id", trace->vm_id);
	put_string(o, "guest_build_id", trace->guest_build_id);
	put_string(o, "hostname", trace->host_name); /* as LTTng calls it */
	put_string(o, "backend", trace->backend);
	gt__put(o, "\toutcome = \"");
	gt__put(o, ending);
	gt__put(o, "\";\n");
	put_string(o, "message", summary->message);
	put_number(o, "status", summary->status);
	put_number(o, "vcpus", trace->vcpus);
	put_number(o, "format_version", GT_ABI_VERSION);
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		if (!gt__loss(&summary->losses, i))
			continue;
		gt__put(o, "\tlost_");
		gt__put(o, gt__loss_words[i].word);
		gt__put(o, " = \"");
		gt__put_u64(o, gt__loss(&summary->losses, i));
		gt__put(o, "\";\n");
	}
	gt__put_bytes(o, classes->keys.bytes, classes->keys.used);
	gt__put(o, "};\n");
}

/* Its identity is the trace's: who made the file did not say which boot. */
static void put_clock(struct gt__out *o, const struct gt_trace *trace,
                      const struct gt_summary *summary)
{
	uint64_t offset = gt__ctf_offset_ns(trace);
	uint8_t uuid[16];
	size_t i;

	for (i = 0; i < sizeof uuid; i++)
		uuid[i] = trace->trace_id[i] ^ (uint8_t)(0x5a + i);
	gt__put(o, "clock {\n\tname = \"monotonic\";\n\tuuid = ");
	put_uuid(o, uuid);
	gt__put(o, ";\n\tdescription = \"CLOCK_MONOTONIC of the host\";\n"
	           "\tfreq = 1000000000;\n");
	put_number(o, "precision", summary->clock.error_bound_ns);
	put_number(o, "offset_s", offset / 1000000000);
	put_number(o, "offset", offset % 1000000000);
	gt__put(o, "\tabsolute = true;\n};\n");
}

/* ---- Events -------------------------------------------------------------- */

static const char *const prefixes[GT__CTF_KINDS] = {
	"span_begin",
	"span_end",
	"event",
	"counter",
};

static const char *const payloads[GT__CTF_KINDS] = {
	"\t\tspan_id_t id;\n\t\tspan_id_t parent_id;\n\t\tu64_t guest_id;\n"
	"\t\tu64_t sequence;\n\t\tu32_t nesting;\n\t\tboolean_t entered;\n",
	"\t\tspan_id_t id;\n\t\tu64_t duration_ns;\n\t\tu32_t opened_on;\n"
	"\t\tstatus_t status;\n\t\tstring status_message;\n\t\tflags_t flags;\n"
	"\t\tu64_t dropped_events;\n\t\tu64_t dropped_fields;\n"
	"\t\tu32_t link_count;\n"
	"\t\tstruct { byte_t trace_id[16]; span_id_t id; } "
	"links[link_count];\n",
	"\t\tspan_id_t span_id;\n\t\tu64_t sequence;\n\t\tu32_t nesting;\n"
	"\t\tflags_t flags;\n",
	"\t\tspan_id_t span_id;\n\t\tu64_t sequence;\n\t\tu32_t nesting;\n"
	"\t\tflags_t flags;\n",
};

static void begin_event(struct gt__out *o, uint32_t id, unsigned stream)
{
	gt__put(o, "event {\n\tid = ");
	gt__put_u64(o, id);
	gt__put(o, ";\n\tstream_id = ");
	gt__put_u64(o, stream);
	gt__put(o, ";\n");
}

/* Levels are those of LTTng, which readers have names for. */
static unsigned level_of(enum gt_level level)
{
	switch (level) {
	case GT_ERROR:
		return 3;
	case GT_WARN:
		return 4;
	case GT_INFO:
		return 6;
	case GT_DEBUG:
	case GT_TRACE:
	case GT_OFF:
		break;
	}
	return 14;
}

static void put_label(struct gt__out *o, const char *name, struct gt_text text,
                      uint32_t line)
{
	gt__put(o, "\t\tenum : u8_t { ");
	gt__ctf_put_literal(o, text);
	if (line && !o->error) {
		o->used--; /* into the quotes */
		gt__put_char(o, ':');
		gt__put_u64(o, line);
		gt__put_char(o, '"');
	}
	gt__put(o, " = 0 } ");
	gt__put(o, name);
	gt__put(o, ";\n");
}

void gt__ctf_put_head(struct gt__out *o, enum gt__ctf_kind kind, uint32_t id,
                      const struct gt_site_view *site)
{
	const char *level = gt__level_word(site->level);

	begin_event(o, id, GT__CTF_RECORDS);
	gt__put(o, "\tname = ");
	gt__ctf_put_literal(o, site->name);
	if (!o->error) { /* the kind goes into the quotes */
		o->used -= 1;
		gt__put(o, kind == GT__CTF_BEGIN   ? ":begin\""
		           : kind == GT__CTF_END   ? ":end\""
		           : kind == GT__CTF_EVENT ? "\""
		                                   : ":counter\"");
	}
	gt__put(o, ";\n\tloglevel = ");
	gt__put_u64(o, level_of(site->level));
	gt__put(o, ";\n\tfields := struct {\n");
	gt__put(o, payloads[kind]);
	put_label(o, "target", site->target, 0);
	put_label(o, "level", (struct gt_text){level, strlen(level)}, 0);
	put_label(o, "source", site->file, site->line);
}

/* Records of sites beyond the limits: what they are called is in them. */
static void put_generic(struct gt__out *o, enum gt__ctf_kind kind)
{
	begin_event(o, GT__CTF_GENERIC + (uint32_t)kind, GT__CTF_RECORDS);
	gt__put(o, "\tname = \"");
	gt__put(o, prefixes[kind]);
	gt__put(o, "\";\n\tfields := struct {\n");
	gt__put(o, payloads[kind]);
	gt__put(o, "\t\tstring name;\n\t\tstring target;\n\t\tstring level;\n"
	           "\t\tstring source;\n\t\tstring fields;\n\t};\n};\n");
}

static void put_reason(struct gt__out *o)
{
	unsigned i;

	gt__put(o, "\t\tenum : u8_t { ");
	for (i = 0; i < GT_EXIT_REASONS; i++) {
		gt__put(o, i ? ", \"" : "\"");
		gt__put(o, gt__exit_word(i));
		gt__put(o, "\" = ");
		gt__put_u64(o, i);
	}
	gt__put(o, " } reason;\n");
}

static void put_host(struct gt__out *o, uint32_t id, const char *name)
{
	begin_event(o, id, GT__CTF_HOST);
	gt__put(o, "\tname = \"");
	gt__put(o, name);
	gt__put(o, "\";\n\tfields := struct {\n\t\tspan_id_t id;\n"
	           "\t\tspan_id_t parent_id;\n\t\tu64_t start_ns;\n"
	           "\t\tu64_t duration_ns;\n\t\tu64_t waiting_ns;\n"
	           "\t\tflags_t flags;\n");
	if (id != GT__CTF_WORK)
		put_reason(o);
	if (id == GT__CTF_EXIT)
		gt__put(o, "\t\tu32_t port;\n\t\tboolean_t tracing;\n");
	if (id == GT__CTF_WORK)
		gt__put(o, "\t\tstring name;\n");
	gt__put(o, "\t};\n};\n");
}

void gt__ctf_put_metadata(struct gt__out *o, const struct gt_trace *trace,
                          const struct gt_summary *summary,
                          const struct gt__ctf_classes *classes)
{
	unsigned i;

	gt__put(o, "/* CTF 1.8 */\n");
	gt__put(o, types);
	put_trace(o, trace);
	put_env(o, trace, summary, classes);
	put_clock(o, trace, summary);
	gt__put(o, streams);
	for (i = 0; i < GT__CTF_KINDS; i++)
		put_generic(o, (enum gt__ctf_kind)i);
	put_host(o, GT__CTF_GUEST, "guest");
	put_host(o, GT__CTF_EXIT, "exit");
	put_host(o, GT__CTF_WORK, "work");
	gt__put_bytes(o, classes->metadata.bytes, classes->metadata.used);
}
