/* SPDX-License-Identifier: MIT */
/*
 * Packets with events. A record costs no search and no allocation: what its
 * site always needs is kept encoded, and every text that returns is interned.
 */
#include "perfetto_packets.h"
#include "export/out/escape.h"
#include "export/out/protobuf.h"
#include "export/out/protobuf_raw.h"
#include "export/out/words.h"
#include <errno.h>

uint64_t gt__pf_boottime_ns(const struct gt_trace *trace, uint64_t time_ns)
{
	return gt__monotonic_ns(trace, time_ns) +
	       (uint64_t)trace->boottime_offset_ns;
}

size_t gt__pf_begin_packet(struct gt__out *o, const struct gt__pf_run *run)
{
	uint8_t *p = (uint8_t *)gt__out_room(o, 40);

	if (!p)
		return 0;
	p = gt__raw_begin(p, GT__PF_PACKET);
	o->used = (size_t)((char *)p - o->bytes) + run->prefix_bytes;
	memcpy(p, run->prefix, sizeof run->prefix);
	return o->used - run->prefix_bytes;
}

struct gt__pf_event gt__pf_begin_event(struct gt__out *o,
                                       const struct gt__pf_run *run,
                                       enum gt__pf_type type, uint64_t uuid,
                                       uint64_t time_ns)
{
	struct gt__pf_event e = {.keys = run->keys.count};
	uint8_t *p;

	e.packet = gt__pf_begin_packet(o, run);
	p = (uint8_t *)gt__out_room(o, 4 * GT__RAW_BYTES);
	if (!p)
		return e;
	p = gt__raw_u64(p, GT__PF_PACKET_TIMESTAMP,
	                gt__pf_boottime_ns(run->head.trace, time_ns));
	p = gt__raw_begin(p, GT__PF_PACKET_TRACK_EVENT);
	e.event = (size_t)((char *)p - o->bytes);
	p = gt__raw_u64(p, GT__PF_EVENT_TYPE, (uint64_t)type);
	p = gt__raw_u64(p, GT__PF_EVENT_TRACK_UUID, uuid);
	o->used = (size_t)((char *)p - o->bytes);
	return e;
}

static void put_interned(struct gt__out *o, unsigned field, uint32_t number,
                         struct gt_text text)
{
	size_t entry = gt__pb_begin(o, field);

	gt__pb_u64(o, GT__PF_INTERNED_IID, number);
	gt__pb_text(o, GT__PF_INTERNED_TEXT, text);
	gt__pb_end(o, entry);
}

static void put_location(struct gt__out *o, uint32_t number,
                         const struct gt_site_view *site)
{
	size_t entry = gt__pb_begin(o, GT__PF_INTERNED_LOCATIONS);

	gt__pb_u64(o, GT__PF_INTERNED_IID, number);
	gt__pb_text(o, GT__PF_INTERNED_TEXT, site->file);
	if (site->function.count)
		gt__pb_text(o, GT__PF_LOCATION_FUNCTION, site->function);
	gt__pb_u64(o, GT__PF_LOCATION_LINE, site->line);
	gt__pb_end(o, entry);
}

static void put_key(struct gt__out *o, uint32_t number, struct gt_text key)
{
	size_t entry = gt__pb_begin(o, GT__PF_INTERNED_KEYS), text;

	gt__pb_u64(o, GT__PF_INTERNED_IID, GT__PF_OWN_KEYS_COUNT + number);
	text = gt__pb_begin(o, GT__PF_INTERNED_TEXT);
	if (gt__is_host_key(key))
		gt__put(o, GT__GUEST);
	gt__put_utf8(o, key);
	gt__pb_end(o, text);
	gt__pb_end(o, entry);
}

/* Interned data stands in the packet, behind the event that needs it. */
void gt__pf_end_event(struct gt__out *o, struct gt__pf_run *run,
                      struct gt__pf_event e, const struct gt_site_view *site,
                      uint32_t number)
{
	size_t data;

	gt__pb_end(o, e.event);
	if (site || e.keys < run->keys.count) {
		data = gt__pb_begin(o, GT__PF_PACKET_INTERNED_DATA);
		if (site) {
			put_interned(o, GT__PF_INTERNED_CATEGORIES, number,
			             site->target);
			put_interned(o, GT__PF_INTERNED_NAMES, number,
			             site->name);
			put_location(o, number, site);
		}
		for (; e.keys < run->keys.count; e.keys++)
			put_key(o, e.keys + 1, run->keys.texts[e.keys]);
		gt__pb_end(o, data);
	}
	gt__pb_end(o, e.packet);
}

/* ---- Sites --------------------------------------------------------------- */

static void encode_site(struct gt__pf_site *site, uint32_t number,
                        enum gt_level level)
{
	uint8_t *p = site->bytes;

	p = gt__raw_u64(p, GT__PF_EVENT_NAME_IID, number);
	p = gt__raw_u64(p, GT__PF_EVENT_CATEGORY_IIDS, number);
	p = gt__raw_u64(p, GT__PF_EVENT_LOCATION_IID, number);
	p = gt__pf_raw_level(p, level);
	site->count = (uint8_t)(p - site->bytes);
}
_Static_assert(GT__INTERN_MAX <= 1u << 21, "they fit into its bytes");

int gt__pf_number(struct gt__pf_run *run, const struct gt_site_view *site,
                  uint32_t *ret_number, bool *ret_new)
{
	int rc = gt__intern(&run->sites, site, ret_number, ret_new);
	uint32_t size = run->site_size ? run->site_size * 2 : 64;
	struct gt__pf_site *larger;

	if (rc || !*ret_new)
		return rc;
	if (*ret_number > run->site_size) {
		larger = realloc(run->site, size * sizeof *larger);
		if (!larger)
			return -ENOMEM;
		run->site = larger;
		run->site_size = size;
	}
	run->site[*ret_number - 1] = (struct gt__pf_site){.count = 0};
	encode_site(&run->site[*ret_number - 1], *ret_number, site->level);
	return 0;
}

void gt__pf_put_site(struct gt__out *o, const struct gt__pf_run *run,
                     const struct gt_site_view *site, uint32_t number)
{
	const struct gt__pf_site *known;
	char *p;

	if (!number) {
		gt__pb_text(o, GT__PF_EVENT_NAME, site->name);
		gt__pb_text(o, GT__PF_EVENT_CATEGORIES, site->target);
		gt__pf_put_level(o, site->level);
		return;
	}
	known = &run->site[number - 1];
	p = gt__out_room(o, sizeof known->bytes);
	if (!p)
		return;
	memcpy(p, known->bytes, sizeof known->bytes);
	o->used += known->count;
}
