/* SPDX-License-Identifier: MIT */
/*
 * The site table of a guest: a private copy of its gt_sites section, parsed.
 * Records name sites by the low 32 bits of their address.
 */
#ifndef GT_HOST_SITES_H
#define GT_HOST_SITES_H

#include <guesttrace/host.h>

struct gt__site_field {
	enum gt_type type;
	struct gt_text key;
};

struct gt__site {
	struct gt_site_view view; /* texts are valid UTF-8 */
	enum gt_site_kind kind;
	bool pairs; /* of Hyperlight: records hold keys and texts themselves */
	uint32_t offset; /* in the section: where its state byte lies */
	uint32_t field_count;
	const struct gt__site_field *fields;
	/* Of its records' values: none has a length of its own. */
	bool is_fixed;
	size_t fixed_bytes; /* then: what they take together */
	bool says_parent;   /* one of them is GT_TYPE_PARENT */
	bool says_trace; /* one of them is enum gt__saying; or it has pairs */
	bool is_plain;   /* each is a word that becomes a field */
};

/* Whether a value of it has a length of its own, and bytes. */
static inline bool gt__is_text(enum gt_type type)
{
	return type == GT_TYPE_STRING || type == GT_TYPE_BYTES ||
	       type == GT_TYPE_LINK_REMOTE || type == GT_TYPE_FAILED;
}

/* A number, a truth or a pointer. */
static inline bool gt__is_plain(enum gt_type type)
{
	return type == GT_TYPE_U64 || type == GT_TYPE_I64 ||
	       type == GT_TYPE_F64 || type == GT_TYPE_BOOL ||
	       type == GT_TYPE_POINTER;
}

struct gt__sites {
	struct gt__sites *before; /* of the guest's earlier announcement */
	uint32_t gva_low;         /* of the section */
	uint32_t count;
	struct gt__site *sites; /* by offset */
	uint32_t slot_count;
	uint32_t *slots; /* by offset / GT_SITE_ALIGN: index + 1, 0 = none */
	struct gt__site_field *fields;
	char *texts;
	char *functions; /* copy of the table, where names of functions are */
	size_t bytes; /* of memory that all of it takes */
};

/*
 * Parses `count` bytes, at most GT_SITES_BYTES_MAX; what is no well-formed site
 * is skipped: of a good head with bad texts, the size that it claims. The
 * result keeps nothing of `bytes`. -ENOMEM, GT_ERROR_BAD_SITES.
 */
int gt__sites_new(const void *bytes, size_t count, uint64_t gva,
                  struct gt__sites **ret_sites);
void gt__sites_free(struct gt__sites *sites);

/* The word behind the text of a site with an enum gt_site_flag. */
#define GT__SITE_FUNCTION_WORD sizeof(uint64_t)

/* The next site's head from `at` on: where it lies; `count`: there is none. */
size_t gt__sites_next(const uint8_t *bytes, size_t count, size_t at,
                      struct gt_site *ret_head);
/* Where to look for the next one: past a bad text as well, so that no byte is
 * read as text twice. */
size_t gt__sites_behind(size_t at, const struct gt_site *head);

/*
 * Of a function's name, which ends with a NUL among `count` bytes. 0: it is
 * empty, too long, does not end, or is not of printable ASCII without blanks.
 */
size_t gt__site_function_length(const uint8_t *bytes, size_t count);

/* The same sites at the same place. */
bool gt__sites_equal(const struct gt__sites *a, const struct gt__sites *b);

/* NULL: no site begins there. */
const struct gt__site *gt__sites_find(const struct gt__sites *sites,
                                      uint32_t address_low);

#endif
