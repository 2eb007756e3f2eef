/* SPDX-License-Identifier: MIT */
/* Fields as JSON values. */
#include "json_values.h"
#include "escape.h"
#include "values.h"
#include "words.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define EXACT_MAX (UINT64_C(1) << 53) /* of a double, what most readers use */

static bool is_exact(int64_t value)
{
	return value <= (int64_t)EXACT_MAX && value >= -(int64_t)EXACT_MAX;
}

void gt__put_json_u64(struct gt__out *out, uint64_t value)
{
	bool quoted = value > EXACT_MAX;

	if (quoted)
		gt__put_char(out, '"');
	gt__put_u64(out, value);
	if (quoted)
		gt__put_char(out, '"');
}

/* What is no JSON by itself, or read as a double. */
static bool is_quoted(const struct gt_field *f, bool strings)
{
	if (f->type == GT_TYPE_U64)
		return strings || f->value.u64 > EXACT_MAX;
	if (f->type == GT_TYPE_I64)
		return strings || !is_exact(f->value.i64);
	return f->type == GT_TYPE_POINTER || f->type == GT_TYPE_BYTES ||
	       (f->type == GT_TYPE_F64 && !isfinite(f->value.f64));
}

void gt__put_json_value(struct gt__out *out, const struct gt_field *f,
                        bool strings)
{
	bool quoted = is_quoted(f, strings);

	if (f->type == GT_TYPE_STRING) {
		gt__put_json(out, f->value.text);
		return;
	}
	if (quoted)
		gt__put_char(out, '"');
	if (f->type == GT_TYPE_BYTES)
		gt__put_base64(out, f->value.text.bytes, f->value.text.count);
	else if (!gt__put_plain(out, f))
		gt__put(out, "null"); /* never among a view's fields */
	if (quoted)
		gt__put_char(out, '"');
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
                          size_t count, bool rename)
{
	bool *holds = NULL, any = false;
	size_t i;

	if (count > GT__FIELDS_FEW) {
		holds = gt__fields_that_hold(fields, count);
		if (!holds) {
			out->error = out->error ? out->error : -ENOMEM;
			return;
		}
	}
	for (i = 0; i < count; i++) {
		if (!(holds ? holds[i] : gt__field_holds(fields, count, i)))
			continue;
		if (any)
			gt__put_char(out, ',');
		any = true;
		if (rename)
			gt__put_json_guest_key(out, fields[i].key);
		else
			gt__put_json(out, fields[i].key);
		gt__put_char(out, ':');
		gt__put_json_value(out, &fields[i], false);
	}
	free(holds);
}
