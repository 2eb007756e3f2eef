/* SPDX-License-Identifier: MIT */
/* Fields as JSON values. */
#include "json_values.h"
#include "escape.h"
#include "words.h"
#include <math.h>

#define EXACT_MAX (UINT64_C(1) << 53) /* of a double, what most readers use */

void gt__put_json_f64(struct gt__out *out, double value)
{
	bool finite = isfinite(value);

	if (!finite)
		gt__put_char(out, '"');
	gt__put_f64(out, value);
	if (!finite)
		gt__put_char(out, '"');
}

static void put_u64(struct gt__out *out, uint64_t value, bool string)
{
	if (string)
		gt__put_char(out, '"');
	gt__put_u64(out, value);
	if (string)
		gt__put_char(out, '"');
}

static void put_i64(struct gt__out *out, int64_t value, bool string)
{
	if (string)
		gt__put_char(out, '"');
	gt__put_i64(out, value);
	if (string)
		gt__put_char(out, '"');
}

static bool is_exact(int64_t value)
{
	return value <= (int64_t)EXACT_MAX && value >= -(int64_t)EXACT_MAX;
}

void gt__put_json_value(struct gt__out *out, const struct gt_field *f,
                        bool strings)
{
	switch (f->type) {
	case GT_TYPE_U64:
		put_u64(out, f->value.u64, strings || f->value.u64 > EXACT_MAX);
		break;
	case GT_TYPE_I64:
		put_i64(out, f->value.i64, strings || !is_exact(f->value.i64));
		break;
	case GT_TYPE_F64:
		gt__put_json_f64(out, f->value.f64);
		break;
	case GT_TYPE_BOOL:
		gt__put(out, f->value.boolean ? "true" : "false");
		break;
	case GT_TYPE_STRING:
		gt__put_json(out, f->value.text);
		break;
	case GT_TYPE_BYTES:
		gt__put_char(out, '"');
		gt__put_base64(out, f->value.text.bytes, f->value.text.count);
		gt__put_char(out, '"');
		break;
	case GT_TYPE_POINTER:
		gt__put_char(out, '"');
		gt__put_pointer(out, f->value.u64);
		gt__put_char(out, '"');
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		gt__put(out, "null"); /* never among a view's fields */
		break;
	}
}

void gt__put_json_guest_key(struct gt__out *out, struct gt_text key)
{
	gt__put_char(out, '"');
	if (gt__is_host_key(key))
		gt__put(out, GT__GUEST);
	gt__put_json_inner(out, key);
	gt__put_char(out, '"');
}

void gt__put_json_members(struct gt__out *out, const struct gt_field *fields,
                          size_t from, size_t count, bool rename)
{
	size_t i;

	for (i = from; i < count; i++) {
		if (i > from)
			gt__put_char(out, ',');
		if (rename)
			gt__put_json_guest_key(out, fields[i].key);
		else
			gt__put_json(out, fields[i].key);
		gt__put_char(out, ':');
		gt__put_json_value(out, &fields[i], false);
	}
}
