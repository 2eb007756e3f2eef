/* SPDX-License-Identifier: MIT */
#include "values.h"

bool gt__put_plain(struct gt__out *out, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
		gt__put_u64(out, f->value.u64);
		return true;
	case GT_TYPE_I64:
		gt__put_i64(out, f->value.i64);
		return true;
	case GT_TYPE_F64:
		gt__put_f64(out, f->value.f64);
		return true;
	case GT_TYPE_BOOL:
		gt__put(out, f->value.boolean ? "true" : "false");
		return true;
	case GT_TYPE_POINTER:
		gt__put_pointer(out, f->value.u64);
		return true;
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* to be escaped, or never among a view's fields */
	}
	return false;
}

static struct gt__number whole(int64_t value)
{
	return (struct gt__number){.kind = GT__WHOLE, .whole = value};
}

static struct gt__number real(double value)
{
	return (struct gt__number){.kind = GT__REAL, .real = value};
}

struct gt__number gt__number_of(const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
	case GT_TYPE_POINTER:
		return f->value.u64 <= INT64_MAX ? whole((int64_t)f->value.u64)
		                                 : real((double)f->value.u64);
	case GT_TYPE_I64:
		return whole(f->value.i64);
	case GT_TYPE_F64:
		return real(f->value.f64);
	case GT_TYPE_BOOL:
		return whole(f->value.boolean);
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* no numbers, or never among a view's fields */
	}
	return (struct gt__number){.kind = GT__NO_NUMBER};
}
