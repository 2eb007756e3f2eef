/* SPDX-License-Identifier: MIT */
/* A guest's site table, as it comes. */
#include "host/decode/sites.h"
#include "host/decode/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_text(struct gt_text text)
{
	if (!gt__utf8_is_valid((const uint8_t *)text.bytes, text.count))
		abort();
}

static int show(void *context, const struct gt_site_view *site,
                enum gt_site_kind kind)
{
	++*(unsigned *)context;
	check_text(site->name);
	check_text(site->target);
	check_text(site->file);
	check_text(site->function);
	if (kind < GT_SITE_EVENT || kind > GT_SITE_COUNTER)
		abort();
	return 0;
}

/* The input is the guest's whole image, too. */
struct image {
	const uint8_t *bytes;
	size_t count;
};

static int read_image(void *context, uint64_t gva, void *to, size_t count)
{
	const struct image *image = context;

	if (gva >= image->count || count > image->count - gva)
		return -ENOENT;
	memcpy(to, image->bytes + gva, count);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt__sites *sites;
	unsigned shown = 0, named = 0;
	struct image image;

	if (count > 65536 || gt__sites_new(bytes, count, 0x1000, &sites) < 0)
		return 0;
	for (uint32_t i = 0; i < sites->count; i++) {
		const struct gt__site *site = &sites->sites[i];

		if (gt__sites_find(sites, 0x1000 + site->offset) != site ||
		    site->field_count > GT_SITE_FIELDS_MAX)
			abort();
		for (uint32_t j = 0; j < site->field_count; j++)
			check_text(site->fields[j].key);
	}
	if (gt_sites_list(bytes, count, NULL, NULL, show, &shown) != 0 ||
	    shown != sites->count)
		abort();
	image.bytes = bytes;
	image.count = count;
	if (gt_sites_list(bytes, count, read_image, &image, show, &named) !=
	            0 ||
	    named < sites->count) /* one may end in the names */
		abort();
	gt__sites_free(sites);
	return 0;
}
