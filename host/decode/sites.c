/* SPDX-License-Identifier: MIT */
#include "sites.h"
#include "bytes.h"
#include "utf8.h"
#include "w3c.h"

#include <errno.h>
#include <stdlib.h>

/* Where the next NUL-terminated text of a site is taken from. */
struct reader {
	const uint8_t *at;
	size_t left;
	char *texts; /* where the repaired copy goes */
};

static const uint8_t *take_text(struct reader *reader, size_t *ret_count)
{
	const uint8_t *text = reader->at;
	const uint8_t *end = memchr(text, 0, reader->left);

	if (!end)
		return NULL;
	*ret_count = (size_t)(end - text);
	reader->at += *ret_count + 1;
	reader->left -= *ret_count + 1;
	return text;
}

static struct gt_text keep(struct reader *reader, const uint8_t *text,
                           size_t count)
{
	struct gt_text kept = {reader->texts, 0};

	kept.count = gt__utf8_repair((uint8_t *)reader->texts, text, count);
	reader->texts += kept.count;
	return kept;
}

static bool read_text(struct reader *reader, struct gt_text *ret_text)
{
	size_t count;
	const uint8_t *text = take_text(reader, &count);

	if (!text)
		return false;
	*ret_text = keep(reader, text, count);
	return true;
}

/* Of a text that is not empty: no NUL. */
static bool is_type(uint8_t letter)
{
	return strchr("uifbsxp^&@.!", letter) != NULL;
}

static bool read_field(struct reader *reader, struct gt__site_field *field)
{
	size_t count;
	const uint8_t *text = take_text(reader, &count);

	if (!text || count == 0 || !is_type(text[0]))
		return false;
	field->type = (enum gt_type)text[0];
	field->key = keep(reader, text + 1, count - 1);
	return true;
}

static size_t behind_text(const struct gt_site *head)
{
	return head->flags & (GT_SITE_FUNCTION | GT_SITE_NAMED)
	               ? GT__SITE_FUNCTION_WORD
	               : 0;
}

static size_t text_bytes(const struct gt_site *head)
{
	return head->size - sizeof(*head) - behind_text(head);
}

static bool has_valid_head(const struct gt_site *head, size_t left)
{
	return head->magic == GT_SITE_MAGIC &&
	       head->size >= sizeof(*head) + behind_text(head) &&
	       head->size <= left && head->fields <= GT_SITE_FIELDS_MAX &&
	       head->kind >= GT_SITE_EVENT && head->kind <= GT_SITE_COUNTER &&
	       head->level <= GT_TRACE;
}

/* What need not be found out again for each record. */
static void sum_up(struct gt__site *site)
{
	site->is_fixed = site->is_plain = true;
	for (uint32_t i = 0; i < site->field_count; i++) {
		enum gt_type type = site->fields[i].type;

		site->is_fixed &= !gt__is_text(type);
		site->is_plain &= gt__is_plain(type);
		site->fixed_bytes += type == GT_TYPE_OK ? 0 : 8;
		site->says_parent |= type == GT_TYPE_PARENT;
		site->says_trace |=
			gt__saying_of(site->fields[i].key, type) != 0;
	}
}

static bool read_site(struct reader *reader, const struct gt_site *head,
                      struct gt__site *site, struct gt__site_field *fields)
{
	site->kind = (enum gt_site_kind)head->kind;
	site->view.level = (enum gt_level)head->level;
	site->view.line = head->line;
	site->field_count = head->fields;
	site->fields = fields;
	if (!read_text(reader, &site->view.name) ||
	    !read_text(reader, &site->view.target) ||
	    !read_text(reader, &site->view.file))
		return false;
	for (uint32_t i = 0; i < head->fields; i++)
		if (!read_field(reader, &fields[i]))
			return false;
	sum_up(site);
	return true;
}

size_t gt__sites_next(const uint8_t *bytes, size_t count, size_t at,
                      struct gt_site *ret_head)
{
	for (; at < count && count - at >= sizeof(*ret_head);
	     at += GT_SITE_ALIGN) {
		memcpy(ret_head, bytes + at, sizeof(*ret_head));
		if (has_valid_head(ret_head, count - at))
			return at;
	}
	return count;
}

size_t gt__sites_behind(size_t at, const struct gt_site *head)
{
	return at + ((head->size + GT_SITE_ALIGN - 1u) & ~(GT_SITE_ALIGN - 1u));
}

/* A name of another site may be the same bytes: it is not repaired, but taken
 * only as it should be. */
static struct gt_text function_of(const struct gt__sites *sites,
                                  const uint8_t *bytes, size_t count, size_t at,
                                  const struct gt_site *head)
{
	uint64_t from;
	size_t length;

	if (!(head->flags & GT_SITE_NAMED))
		return (struct gt_text){NULL, 0};
	from = gt__load64(bytes + at + head->size - GT__SITE_FUNCTION_WORD);
	if (from == 0 || from >= count)
		return (struct gt_text){NULL, 0};
	length = gt__site_function_length(bytes + from, count - from);
	return (struct gt_text){length ? sites->functions + from : NULL,
	                        length};
}

size_t gt__site_function_length(const uint8_t *bytes, size_t count)
{
	size_t i = 0;

	while (i < count && i < GT_SITE_FUNCTION_BYTES_MAX && bytes[i] > ' ' &&
	       bytes[i] <= '~')
		i++;
	return i < count && bytes[i] == 0 ? i : 0;
}

static void parse(struct gt__sites *sites, const uint8_t *bytes, size_t count)
{
	struct gt__site_field *fields = sites->fields;
	char *texts = sites->texts;
	struct gt_site head;
	size_t at = gt__sites_next(bytes, count, 0, &head);

	while (at < count) {
		struct gt__site *site = &sites->sites[sites->count];
		struct reader reader = {bytes + at + sizeof(head),
		                        text_bytes(&head), texts};

		if (read_site(&reader, &head, site, fields)) {
			site->view.function =
				function_of(sites, bytes, count, at, &head);
			site->offset = (uint32_t)at;
			sites->slots[at / GT_SITE_ALIGN] = ++sites->count;
			fields += head.fields;
			texts = reader.texts;
		}
		at = gt__sites_next(bytes, count, gt__sites_behind(at, &head),
		                    &head);
	}
}

/* A byte of text becomes three at most, and stays one where all is valid. */
static int allocate(struct gt__sites *sites, const uint8_t *bytes, size_t count)
{
	size_t site_max = 0, field_max = 0, text_max = 0;
	bool is_named = false;
	struct gt_site head;
	size_t at = gt__sites_next(bytes, count, 0, &head);

	while (at < count) {
		size_t text = text_bytes(&head);

		site_max++;
		field_max += head.fields;
		text_max += gt__utf8_is_valid(bytes + at + sizeof(head), text)
		                    ? text
		                    : 3 * text;
		is_named |= (head.flags & GT_SITE_NAMED) != 0;
		at = gt__sites_next(bytes, count, gt__sites_behind(at, &head),
		                    &head);
	}
	sites->slot_count = (uint32_t)(count / GT_SITE_ALIGN + 1);
	sites->slots = calloc(sites->slot_count, sizeof(*sites->slots));
	sites->sites = calloc(site_max + 1, sizeof(*sites->sites));
	sites->fields = calloc(field_max + 1, sizeof(*sites->fields));
	sites->texts = malloc(text_max + 1);
	sites->functions = malloc(is_named ? count : 1);
	sites->bytes = sites->slot_count * sizeof(*sites->slots) +
	               site_max * sizeof(*sites->sites) +
	               field_max * sizeof(*sites->fields) + text_max +
	               (is_named ? count : 0);
	if (!sites->slots || !sites->sites || !sites->fields || !sites->texts ||
	    !sites->functions)
		return -ENOMEM;
	if (is_named)
		memcpy(sites->functions, bytes, count);
	return 0;
}

int gt__sites_new(const void *bytes, size_t count, uint64_t gva,
                  struct gt__sites **ret_sites)
{
	struct gt__sites *sites;

	if (count > GT_SITES_BYTES_MAX || gva % GT_SITE_ALIGN != 0)
		return -GT_ERROR_BAD_SITES;
	sites = calloc(1, sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	sites->gva_low = (uint32_t)gva;
	if (allocate(sites, bytes, count) < 0) {
		gt__sites_free(sites);
		return -ENOMEM;
	}
	parse(sites, bytes, count);
	*ret_sites = sites;
	return 0;
}

void gt__sites_free(struct gt__sites *sites)
{
	if (!sites)
		return;
	free(sites->slots);
	free(sites->sites);
	free(sites->fields);
	free(sites->texts);
	free(sites->functions);
	free(sites);
}

static bool text_equal(struct gt_text a, struct gt_text b)
{
	return a.count == b.count &&
	       (a.count == 0 || memcmp(a.bytes, b.bytes, a.count) == 0);
}

static bool site_equal(const struct gt__site *a, const struct gt__site *b)
{
	if (a->offset != b->offset || a->kind != b->kind ||
	    a->view.level != b->view.level || a->view.line != b->view.line ||
	    a->field_count != b->field_count ||
	    !text_equal(a->view.name, b->view.name) ||
	    !text_equal(a->view.target, b->view.target) ||
	    !text_equal(a->view.file, b->view.file) ||
	    !text_equal(a->view.function, b->view.function))
		return false;
	for (uint32_t i = 0; i < a->field_count; i++)
		if (a->fields[i].type != b->fields[i].type ||
		    !text_equal(a->fields[i].key, b->fields[i].key))
			return false;
	return true;
}

bool gt__sites_equal(const struct gt__sites *a, const struct gt__sites *b)
{
	if (a->gva_low != b->gva_low || a->count != b->count ||
	    a->slot_count != b->slot_count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!site_equal(&a->sites[i], &b->sites[i]))
			return false;
	return true;
}

const struct gt__site *gt__sites_find(const struct gt__sites *sites,
                                      uint32_t address_low)
{
	uint32_t offset = address_low - sites->gva_low;

	if (offset % GT_SITE_ALIGN != 0 ||
	    offset / GT_SITE_ALIGN >= sites->slot_count ||
	    sites->slots[offset / GT_SITE_ALIGN] == 0)
		return NULL;
	return &sites->sites[sites->slots[offset / GT_SITE_ALIGN] - 1];
}
