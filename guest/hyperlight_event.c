/* SPDX-License-Identifier: MIT */
/*
 * Keys first, then values: up to the first value an event is the same each time
 * that its site records. Such beginnings are kept and copied, which halves the
 * cost of an event.
 */
#include "hyperlight_event.h"
#include "draft.h"

/* How many: a power of two. Longer beginnings are made anew each time. */
#ifndef GT_IMAGES
#define GT_IMAGES 32u
#endif
#define IMAGE_BYTES 224u

static struct image {
	const struct gt_site *site; /* NULL: none */
	uint32_t bytes;
	uint32_t fields;
	uint64_t words[IMAGE_BYTES / 8];
	uint8_t types[GT_SITE_FIELDS_MAX];
} images[GT_IMAGES];

/* ---- The text of a site -------------------------------------------------- */

struct words {
	const uint8_t *at;
	const uint8_t *end; /* reading whole words up to here is harmless */
};

/* The length of the string that begins here. */
static size_t length(const struct words *words)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint8_t *at = words->at;

	for (; words->end - at >= 8; at += 8) {
		uint64_t word = gt__get64(at);
		uint64_t zeros = (word - ones) & ~word & ones << 7;

		if (zeros)
			return (size_t)(at - words->at) +
			       (size_t)__builtin_ctzll(zeros) / 8;
	}
	while (at < words->end && *at)
		at++;
	return (size_t)(at - words->at);
}

static void skip(struct words *words)
{
	words->at += length(words) + 1;
}

/* The site's name. */
static struct words name_of(const struct gt_site *site)
{
	const uint8_t *head = (const uint8_t *)site;

	return (struct words){head + sizeof(*site),
	                      head + ((site->size + 7u) & ~7u)};
}

/* The site's first field. */
static struct words fields_of(const struct gt_site *site)
{
	struct words words = name_of(site);

	skip(&words);
	skip(&words);
	skip(&words);
	return words;
}

static bool is_carried(uint8_t type)
{
	switch (type) {
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		return false;
	default:
		return true;
	}
}

uint32_t gt__event_fields(const struct gt_site *site)
{
	struct words words = fields_of(site);
	uint32_t count = 0;

	for (unsigned i = 0; i < site->fields; i++, skip(&words))
		count += is_carried(*words.at);
	return count;
}

/* ---- Keys ---------------------------------------------------------------- */

static void put_keys(struct gt_draft *draft, const struct gt_site *site)
{
	struct words words = fields_of(site);

	for (unsigned i = 0; i < site->fields; i++, skip(&words)) {
		struct words key = {words.at + 1, words.end};

		if (is_carried(*words.at))
			gt__draft_key(draft, key.at, length(&key));
	}
}

static void put_beginning(struct gt_draft *draft, const struct gt__event *event)
{
	struct words words = name_of(event->site);

	if (event->kind != GT_BATCH_EDIT)
		gt_draft_name(draft, words.at, length(&words));
	skip(&words);
	if (event->kind == GT_BATCH_OPEN)
		gt_draft_target(draft, words.at, length(&words));
	put_keys(draft, event->site);
}

static struct image *image_of(const struct gt_site *site)
{
	uint64_t hash = ((uintptr_t)site >> 3) * UINT64_C(0x9e3779b97f4a7c15);

	return &images[hash >> 32 & (GT_IMAGES - 1)];
}

static void list_types(uint8_t *types, const struct gt_site *site)
{
	struct words words = fields_of(site);

	for (unsigned i = 0; i < site->fields && i < GT_SITE_FIELDS_MAX; i++) {
		types[i] = *words.at;
		skip(&words);
	}
}

/* Whoever abandons us in between finds no image. */
static void keep(struct image *image, const struct gt_draft *draft,
                 const struct gt_site *site)
{
	uint64_t bytes = (uint64_t)(draft->at - draft->start);

	if (draft->is_full || bytes > IMAGE_BYTES)
		return;
	image->site = NULL;
	gt__barrier();
	image->bytes = (uint32_t)bytes;
	image->fields = draft->field_count;
	list_types(image->types, site);
	for (uint32_t i = 0; i < (bytes + 7) / 8; i++)
		image->words[i] = gt__get64(draft->start + 8 * i);
	gt__barrier();
	image->site = site;
}

void gt__event_forget(void)
{
	for (unsigned i = 0; i < GT_IMAGES; i++)
		images[i].site = NULL;
}

/* ---- Values -------------------------------------------------------------- */

/* Returns the arguments behind those of this field. */
static const uint64_t *put_value(struct gt_draft *draft, uint8_t type,
                                 const uint64_t *argument)
{
	const void *text = (const void *)(uintptr_t)argument[0];

	switch (type) {
	case GT_TYPE_STRING:
		gt__draft_string(draft, text, (uint32_t)argument[1]);
		return argument + 2;
	case GT_TYPE_BYTES:
		gt__draft_bytes(draft, text, (uint32_t)argument[1]);
		return argument + 2;
	case GT_TYPE_I64:
		gt__draft_i64(draft, (int64_t)argument[0]);
		break;
	case GT_TYPE_F64:
		gt__draft_f64(draft, argument[0]);
		break;
	case GT_TYPE_BOOL:
		gt__draft_bool(draft, argument[0]);
		break;
	case GT_TYPE_POINTER:
		gt__draft_pointer(draft, argument[0]);
		break;
	default:
		gt__draft_u64(draft, argument[0]);
		break;
	}
	return argument + 1;
}

static void set_parent(struct gt__event *event, uint64_t parent)
{
	if (event->keeps_parent)
		return;
	event->numbers.parent = parent;
	event->numbers.has_parent = parent != 0;
	if (event->kind == GT_BATCH_LOG)
		event->numbers.id = parent;
}

/* What these wires cannot say of a span is passed over. */
static void put_values(struct gt_draft *draft, struct gt__event *event,
                       const uint8_t *types)
{
	const uint64_t *argument = event->arguments;

	for (unsigned i = 0; i < event->site->fields; i++) {
		switch (types[i]) {
		case GT_TYPE_PARENT:
			set_parent(event, *argument++);
			break;
		case GT_TYPE_LINK:
			argument++;
			break;
		case GT_TYPE_LINK_REMOTE:
		case GT_TYPE_FAILED:
			argument += 2;
			break;
		case GT_TYPE_OK:
			break;
		default:
			argument = put_value(draft, types[i], argument);
			break;
		}
	}
}

static void put_anew(struct gt_draft *draft, struct gt_batch *batch,
                     struct gt__event *event, bool is_cutting)
{
	uint32_t fields = gt__event_fields(event->site);
	uint8_t types[GT_SITE_FIELDS_MAX];

	if (is_cutting)
		gt__batch_begin_cut(draft, batch, event->kind, fields);
	else
		gt_batch_begin(draft, batch, event->kind, fields);
	put_beginning(draft, event);
	if (!is_cutting)
		keep(image_of(event->site), draft, event->site);
	list_types(types, event->site);
	put_values(draft, event, types);
}

void gt__event_put(struct gt_draft *draft, struct gt_batch *batch,
                   struct gt__event *event, bool is_cutting)
{
	const struct image *image = image_of(event->site);

	if (!event->site) {
		gt_batch_begin(draft, batch, event->kind, 0);
	} else if (is_cutting || image->site != event->site) {
		put_anew(draft, batch, event, is_cutting);
	} else {
		gt__batch_begin_like(draft, batch, event->kind, image->words,
		                     image->bytes, image->fields);
		put_values(draft, event, image->types);
	}
}

bool gt__event_grow(struct gt_draft *draft, struct gt_batch *batch,
                    struct gt__event *event)
{
	uint8_t types[GT_SITE_FIELDS_MAX];

	if (!gt__batch_grow(draft, batch, event->numbers.id,
	                    gt__event_fields(event->site)))
		return false;
	put_keys(draft, event->site);
	list_types(types, event->site);
	put_values(draft, event, types);
	return true;
}
