/* SPDX-License-Identifier: MIT */
#include "native.h"
#include "bytes.h"

size_t gt__value_read(enum gt_type type, const uint8_t *body, size_t count,
                      struct gt__value *ret_value)
{
	size_t padded;

	*ret_value = (struct gt__value){0};
	if (type == GT_TYPE_OK)
		return 0;
	if (count < 8)
		return SIZE_MAX;
	ret_value->word = gt__load64(body);
	if (!gt__is_text(type))
		return 8;
	ret_value->stored_bytes = (uint32_t)ret_value->word;
	ret_value->full_bytes = (uint32_t)(ret_value->word >> 32);
	ret_value->bytes = body + 8;
	padded = ((size_t)ret_value->stored_bytes + 7) & ~(size_t)7;
	if (ret_value->stored_bytes > ret_value->full_bytes ||
	    padded > count - 8)
		return SIZE_MAX;
	return 8 + padded;
}

/* The values of the site fill the body exactly. */
static bool fits_site(const struct gt__site *site, const uint8_t *body,
                      size_t count)
{
	struct gt__value value;

	if (site->is_fixed)
		return count == site->fixed_bytes;
	for (uint32_t i = 0; i < site->field_count; i++) {
		size_t bytes = gt__value_read(site->fields[i].type, body, count,
		                              &value);

		if (bytes > count)
			return false;
		body += bytes;
		count -= bytes;
	}
	return count == 0;
}

/* The kind of site whose values such a record carries; 0: none. */
static unsigned site_kind_of(unsigned record_kind)
{
	switch (record_kind) {
	case GT_RECORD_EVENT:
		return GT_SITE_EVENT;
	case GT_RECORD_COUNTER:
		return GT_SITE_COUNTER;
	case GT_RECORD_OPEN:
	case GT_RECORD_SPAN:
		return GT_SITE_SPAN;
	case GT_RECORD_FIELDS:
		return GT_SITE_FIELDS;
	default:
		return 0;
	}
}

static bool has_id(unsigned kind)
{
	return kind == GT_RECORD_FIELDS || kind == GT_RECORD_ENTER ||
	       kind == GT_RECORD_EXIT || kind == GT_RECORD_CLOSE;
}

/* Bytes behind head, TSC and id of the kinds without a site. */
static size_t body_bytes_of(unsigned kind)
{
	switch (kind) {
	case GT_RECORD_SYNC:
		return GT_SYNC_BYTES - GT_RECORD_BYTES;
	case GT_RECORD_SWITCH:
		return 16;
	default:
		return 0;
	}
}

static inline bool read_body(const struct gt__sites *sites, uint32_t site,
                             struct gt__record *record)
{
	unsigned site_kind = site_kind_of(record->kind);

	if (has_id(record->kind)) {
		if (record->body_bytes < 8)
			return false;
		record->id = gt__load64(record->body);
		record->body += 8;
		record->body_bytes -= 8;
	}
	if (site_kind == 0)
		return record->body_bytes == body_bytes_of(record->kind);
	record->site = gt__sites_find(sites, site);
	return record->site && record->site->kind == site_kind &&
	       fits_site(record->site, record->body, record->body_bytes);
}

size_t gt__record_read(const struct gt__sites *sites, const uint8_t *bytes,
                       size_t count, struct gt__record *ret_record)
{
	struct gt__record record = {.kind = GT_RECORD_PAD};
	uint64_t head;
	size_t length;

	if (count < 8)
		return 0;
	head = gt__load64(bytes);
	length = (size_t)GT_RECORD_WORDS(head) * 8;
	if (length == 0 || length > count)
		return 0;
	record.flags = GT_RECORD_FLAGS(head);
	if (GT_RECORD_KIND(head) != GT_RECORD_PAD) {
		if (GT_RECORD_KIND(head) > GT_RECORD_ABANDON ||
		    length < GT_RECORD_BYTES)
			return 0;
		record.kind = (enum gt_record_kind)GT_RECORD_KIND(head);
		record.tsc = gt__load64(bytes + 8);
		record.body = bytes + GT_RECORD_BYTES;
		record.body_bytes = length - GT_RECORD_BYTES;
		if (!read_body(sites, GT_RECORD_SITE(head), &record))
			return 0;
	}
	*ret_record = record;
	return length;
}
