/* SPDX-License-Identifier: MIT */
/*
 * Classes of events: one for each site and each list of keys and types that
 * its records turn out to have.
 *
 * A key becomes an identifier of TSDL: `_` in front, which readers take away
 * again and which keeps it from being a word of the language; `_` for what is
 * no ASCII letter or digit; a number behind it if a reader could take it for
 * another of the class. Of a key that was changed, the environment tells the
 * true one.
 */
#include "ctf.h"
#include "export/out/escape.h"
#include "export/out/words.h"
#include <errno.h>
#include <string.h>

/* In front of the identifier of bytes; no key's own begins so. */
#define LENGTH_OF      "__length_of"
#define IDENTIFIER_MAX 60u /* bytes of a key that are used */

static void free_class(struct gt__ctf_class *c)
{
	size_t i;

	for (i = 0; c->fields && i < c->field_count; i++)
		free(c->fields[i].key);
	free(c->fields);
}

void gt__ctf_classes_fini(struct gt__ctf_classes *k)
{
	uint32_t i;

	for (i = 0; i < k->count; i++)
		free_class(&k->classes[i]);
	free(k->classes);
	gt__out_fini(&k->metadata);
	gt__out_fini(&k->keys);
}

static uint64_t hash_of(const struct gt__hash_key *key, enum gt__ctf_kind kind,
                        const struct gt_site_view *site,
                        const struct gt_field *fields, size_t count)
{
	uint64_t hash = gt__hash_words(key, (uintptr_t)site, kind);
	size_t i;

	for (i = 0; i < count; i++)
		hash = gt__hash_bytes(key, hash + fields[i].type,
		                      fields[i].key.bytes, fields[i].key.count);
	return hash;
}

static bool has_fields(const struct gt__ctf_class *c,
                       const struct gt_field *fields, size_t count)
{
	size_t i;

	if (c->field_count != count)
		return false;
	for (i = 0; i < count; i++) {
		struct gt_text key = {c->fields[i].key, c->fields[i].key_bytes};

		if (c->fields[i].type != fields[i].type ||
		    !gt__same_text(key, fields[i].key))
			return false;
	}
	return true;
}

/* ---- Identifiers --------------------------------------------------------- */

struct identifier {
	char text[IDENTIFIER_MAX + 8];
	bool changed;
	bool has_length; /* bytes: one more, LENGTH_OF and its text */
};

static struct identifier identifier_of(const struct gt__ctf_field *field)
{
	struct identifier id = {.text = "_"};
	size_t i, count = field->key_bytes < IDENTIFIER_MAX ? field->key_bytes
	                                                    : IDENTIFIER_MAX;

	id.has_length = field->type == GT_TYPE_BYTES;
	id.changed = count < field->key_bytes || !count;
	for (i = 0; i < count; i++) {
		char c = field->key[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		            (c >= '0' && c <= '9') || c == '_';

		id.changed |= !good;
		id.text[i + 1] = good ? c : '_';
	}
	id.text[count + 1] = '\0';
	if (!strncmp(id.text, LENGTH_OF, strlen(LENGTH_OF))) {
		id.text[1] = 'x';
		id.changed = true;
	}
	return id;
}

/*
 * babeltrace2 compares a name as it is declared with those before it as it will
 * show them, that is without their first `_`: none may be another with one
 * more.
 */
static bool are_one(const char *a, const char *b)
{
	return !strcmp(a, b) || !strcmp(a + 1, b) || !strcmp(a, b + 1);
}

static bool is_length(const struct identifier *id, const char *text)
{
	char length[sizeof LENGTH_OF + sizeof id->text];

	if (!id->has_length)
		return false;
	memcpy(length, LENGTH_OF, sizeof LENGTH_OF - 1);
	strcpy(length + sizeof LENGTH_OF - 1, id->text);
	return are_one(length, text);
}

static bool is_taken(const struct identifier *all, size_t count,
                     const struct identifier *id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (are_one(all[i].text, id->text) ||
		    is_length(&all[i], id->text) || is_length(id, all[i].text))
			return true;
	return false;
}

/* Appends its place in the record, or the next number that is free. */
static void make_unique(struct identifier *all, size_t at)
{
	size_t end = strlen(all[at].text), digits, i;
	unsigned number, rest;

	for (number = (unsigned)at + 1; is_taken(all, at, &all[at]); number++) {
		all[at].changed = true;
		for (digits = 1, rest = number; rest >= 10; rest /= 10)
			digits++;
		all[at].text[end] = '_';
		for (i = digits, rest = number; i; rest /= 10)
			all[at].text[end + i--] = (char)('0' + rest % 10);
		all[at].text[end + digits + 1] = '\0';
	}
}

/* ---- Declarations -------------------------------------------------------- */

static void put_type(struct gt__out *o, enum gt_type type, const char *name)
{
	switch (type) {
	case GT_TYPE_U64:
		gt__put(o, "u64_t ");
		break;
	case GT_TYPE_I64:
		gt__put(o, "i64_t ");
		break;
	case GT_TYPE_F64:
		gt__put(o, "f64_t ");
		break;
	case GT_TYPE_BOOL:
		gt__put(o, "boolean_t ");
		break;
	case GT_TYPE_STRING:
		gt__put(o, "string ");
		break;
	case GT_TYPE_POINTER:
		gt__put(o, "pointer_t ");
		break;
	case GT_TYPE_BYTES:
		gt__put(o, "u32_t " LENGTH_OF);
		gt__put(o, name);
		gt__put(o, "; byte_t ");
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
	gt__put(o, name);
	if (type == GT_TYPE_BYTES) {
		gt__put(o, "[" LENGTH_OF);
		gt__put(o, name);
		gt__put_char(o, ']');
	}
	gt__put(o, "; ");
}

/* env: key_CLASS_IDENTIFIER = "the true key"; */
static void put_true_key(struct gt__out *o, uint32_t id,
                         const struct identifier *identifier,
                         struct gt_text key)
{
	gt__put(o, "\tkey_");
	gt__put_u64(o, id);
	gt__put(o, identifier->text);
	gt__put(o, " = ");
	gt__ctf_put_literal(o, key);
	gt__put(o, ";\n");
}

static bool declare(struct gt__ctf_classes *k, const struct gt__ctf_class *c)
{
	struct identifier *all = calloc(c->field_count + 1, sizeof *all);
	struct gt__out *o = &k->metadata;
	size_t i;

	if (!all)
		return false;
	gt__ctf_put_head(o, c->kind, c->id, c->site);
	gt__put(o, "\t\tstruct { ");
	for (i = 0; i < c->field_count; i++) {
		struct gt_text key = {c->fields[i].key, c->fields[i].key_bytes};

		all[i] = identifier_of(&c->fields[i]);
		make_unique(all, i);
		put_type(o, c->fields[i].type, all[i].text);
		if (all[i].changed)
			put_true_key(&k->keys, c->id, &all[i], key);
	}
	gt__put(o, "} fields;\n\t};\n};\n");
	free(all);
	return !o->error && !k->keys.error;
}

/* ---- New classes --------------------------------------------------------- */

static bool keep_fields(struct gt__ctf_class *c, const struct gt_field *fields,
                        size_t count)
{
	size_t i;

	c->fields = calloc(count + 1, sizeof *c->fields);
	if (!c->fields)
		return false;
	c->field_count = count;
	for (i = 0; i < count; i++) {
		c->fields[i].type = fields[i].type;
		c->fields[i].key_bytes = fields[i].key.count;
		c->fields[i].key = malloc(fields[i].key.count + 1);
		if (!c->fields[i].key)
			return false;
		if (fields[i].key.count)
			memcpy(c->fields[i].key, fields[i].key.bytes,
			       fields[i].key.count);
	}
	return true;
}

static int grow(struct gt__ctf_classes *k)
{
	uint32_t size = k->size ? k->size * 2 : 64;
	struct gt__ctf_class *larger;

	if (k->count < k->size)
		return 0;
	larger = realloc(k->classes, size * sizeof *larger);
	if (!larger)
		return -ENOMEM;
	k->classes = larger;
	k->size = size;
	return 0;
}

static int add(struct gt__ctf_classes *k, const struct gt__ctf_class *wanted,
               const struct gt_field *fields, size_t count)
{
	uint32_t *chain = &k->chains[wanted->hash % GT__CTF_CHAINS];
	struct gt__ctf_class *c;
	int rc = grow(k);

	if (rc)
		return rc;
	c = &k->classes[k->count];
	*c = *wanted;
	c->id = GT__CTF_FIRST + k->count;
	c->next = *chain;
	if (!keep_fields(c, fields, count) || !declare(k, c)) {
		free_class(c);
		return -ENOMEM;
	}
	*chain = ++k->count;
	return 0;
}

int gt__ctf_class(struct gt__ctf_classes *k, enum gt__ctf_kind kind,
                  const struct gt_site_view *site,
                  const struct gt_field *fields, size_t count, uint32_t *ret_id)
{
	struct gt__ctf_class wanted = {
		.site = site,
		.kind = kind,
		.hash = hash_of(&k->key, kind, site, fields, count),
	};
	uint32_t i = k->chains[wanted.hash % GT__CTF_CHAINS];
	int rc;

	for (; i; i = k->classes[i - 1].next) {
		const struct gt__ctf_class *c = &k->classes[i - 1];

		if (c->hash == wanted.hash && c->site == site &&
		    c->kind == kind && has_fields(c, fields, count)) {
			*ret_id = c->id;
			return 0;
		}
	}
	*ret_id = GT__CTF_GENERIC + (uint32_t)kind;
	if (k->count == GT__CTF_CLASSES_MAX ||
	    count > GT__CTF_CLASS_FIELDS_MAX ||
	    k->metadata.used + k->keys.used > GT__CTF_METADATA_MAX)
		return 0;
	rc = add(k, &wanted, fields, count);
	if (!rc)
		*ret_id = k->classes[k->count - 1].id;
	return rc;
}
