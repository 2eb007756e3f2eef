/* SPDX-License-Identifier: MIT */
#include "json_members.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/words.h"

void gt__member_key(struct gt__out *o, const char *comma, const char *key)
{
	gt__put(o, comma);
	gt__put_char(o, '"');
	gt__put(o, key);
	gt__put(o, "\":");
}

void gt__member_number(struct gt__out *o, const char *key, uint64_t value)
{
	gt__member_key(o, ",", key);
	gt__put_u64(o, value);
}

void gt__member_u64(struct gt__out *o, const char *key, uint64_t value)
{
	gt__member_key(o, ",", key);
	gt__put_char(o, '"');
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

void gt__member_word(struct gt__out *o, const char *key, const char *word)
{
	gt__member_key(o, ",", key);
	gt__put_char(o, '"');
	gt__put(o, word);
	gt__put_char(o, '"');
}

void gt__member_text(struct gt__out *o, const char *key, struct gt_text text)
{
	gt__member_key(o, ",", key);
	gt__put_json(o, text);
}

void gt__member_by(struct gt__out *o, struct gt_text by)
{
	if (by.bytes)
		gt__member_text(o, "by", by);
	else
		gt__put(o, ",\"by\":null");
}

void gt__member_id(struct gt__out *o, const char *comma, const char *key,
                   uint64_t id)
{
	gt__member_key(o, comma, key);
	if (!id) {
		gt__put(o, "null");
		return;
	}
	gt__put_char(o, '"');
	gt__put_hex(o, id, 16);
	gt__put_char(o, '"');
}

void gt__member_bool(struct gt__out *o, const char *key, bool value)
{
	gt__member_key(o, ",", key);
	gt__put(o, value ? "true" : "false");
}

void gt__trace_members(struct gt__out *o, const struct gt_trace *trace,
                       const struct gt_summary *summary)
{
	gt__put(o, "{\"trace_id\":\"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put_char(o, '"');
	gt__put_losses_json(o, &summary->losses);
	gt__member_id(o, ",\n", "parent_id", trace->parent_id);
	gt__put(o, ",\"trace_state\":");
	gt__put_json(o, trace->trace_state);
	gt__member_number(o, "trace_flags", trace->flags);
	gt__member_number(o, "index", trace->index);
	gt__member_text(o, "guest", trace->guest_name);
	gt__member_text(o, "vm", trace->vm_name);
	gt__member_text(o, "backend", trace->backend);
	gt__member_text(o, "guest_build_id", trace->guest_build_id);
	gt__member_text(o, "vm_id", trace->vm_id);
	gt__member_text(o, "host_name", trace->host_name);
	gt__member_word(o, "outcome", gt__ending_word(summary->ending));
	gt__member_number(o, "status", summary->status);
	gt__member_text(o, "message", summary->message);
	gt__member_u64(o, "start_ns", trace->start_ns);
	gt__member_u64(o, "end_ns", summary->end_ns);
	gt__member_key(o, ",", "monotonic_offset_ns");
	gt__put_char(o, '"');
	gt__put_i64(o, trace->monotonic_offset_ns);
	gt__put(o, "\",\"boottime_offset_ns\":\"");
	gt__put_i64(o, trace->boottime_offset_ns);
	gt__put_char(o, '"');
	gt__member_number(o, "vcpus", trace->vcpus);
}
