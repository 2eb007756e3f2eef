/* SPDX-License-Identifier: MIT */
/* Whether a condition holds of a span. */
#include "matcher.h"
#include "where_inside.h"
#include "export/out/words.h"
#include <string.h>

static bool compare(enum gt__where_op op, long double a, long double b)
{
	switch (op) {
	case GT__OP_EQUAL:
		return a == b;
	case GT__OP_UNEQUAL:
		return a != b;
	case GT__OP_LESS:
		return a < b;
	case GT__OP_LESS_EQUAL:
		return a <= b;
	case GT__OP_GREATER:
		return a > b;
	case GT__OP_GREATER_EQUAL:
		return a >= b;
	case GT__OP_IS_THERE:
	case GT__OP_MATCHES:
	case GT__OP_MATCHES_NOT:
		break;
	}
	return false;
}

static bool text_holds(const struct gt__where_term *t, struct gt_text text)
{
	const struct gt_text value = {t->text, t->text ? strlen(t->text) : 0};

	switch (t->op) {
	case GT__OP_EQUAL:
		return gt__same_text(text, value);
	case GT__OP_UNEQUAL:
		return !gt__same_text(text, value);
	case GT__OP_MATCHES:
		return gt__name_matches(t->text, text);
	case GT__OP_MATCHES_NOT:
		return !gt__name_matches(t->text, text);
	case GT__OP_IS_THERE:
		return text.count;
	case GT__OP_LESS:
	case GT__OP_LESS_EQUAL:
	case GT__OP_GREATER:
	case GT__OP_GREATER_EQUAL:
		break;
	}
	return false;
}

/* The last one of the key is the one that holds. */
static const struct gt_field *find_field(const struct gt_span_view *span,
                                         const char *key)
{
	const struct gt_text wanted = {key, strlen(key)};
	size_t i = span->field_count;

	while (i--)
		if (gt__same_text(span->fields[i].key, wanted))
			return &span->fields[i];
	return NULL;
}

static bool number_holds(const struct gt__where_term *t, long double number)
{
	if (t->op == GT__OP_IS_THERE)
		return number != 0;
	return t->is_number && compare(t->op, number, t->number);
}

static bool flag_holds(const struct gt__where_term *t, bool flag)
{
	const struct gt_text text = {flag ? "true" : "false", flag ? 4 : 5};

	if (t->op == GT__OP_IS_THERE || t->is_number)
		return number_holds(t, flag);
	return text_holds(t, text);
}

static bool field_holds(const struct gt__where_term *t,
                        const struct gt_span_view *span)
{
	const struct gt_field *f = find_field(span, t->field);

	if (!f)
		return false;
	switch (f->type) {
	case GT_TYPE_U64:
	case GT_TYPE_POINTER:
		return number_holds(t, f->value.u64);
	case GT_TYPE_I64:
		return number_holds(t, f->value.i64);
	case GT_TYPE_F64:
		return number_holds(t, f->value.f64);
	case GT_TYPE_BOOL:
		return flag_holds(t, f->value.boolean);
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
		return text_holds(t, f->value.text);
	default: /* no value of a field */
		return false;
	}
}

static bool term_holds(const struct gt__where_term *t,
                       const struct gt_trace *trace,
                       const struct gt_span_view *span)
{
	switch (t->key) {
	case GT__KEY_FIELD:
		return field_holds(t, span);
	case GT__KEY_NAME:
		return text_holds(t, span->site->name);
	case GT__KEY_TARGET:
		return text_holds(t, span->site->target);
	case GT__KEY_FILE:
		return text_holds(t, span->site->file);
	case GT__KEY_MESSAGE:
		return text_holds(t, span->status_text);
	case GT__KEY_LEVEL: /* greater is graver, the number of it smaller */
		return compare(t->op, t->number,
		               (long double)span->site->level);
	case GT__KEY_STATUS:
		return compare(t->op, span->status, t->number);
	case GT__KEY_VCPU:
		return compare(t->op, span->vcpu, t->number);
	case GT__KEY_DURATION:
		return compare(t->op, span->end_ns - span->start_ns, t->number);
	case GT__KEY_START:
		return compare(t->op,
		               span->start_ns > trace->start_ns
		                       ? span->start_ns - trace->start_ns
		                       : 0,
		               t->number);
	}
	return false;
}

bool gt__where_holds(const struct gt__where *w, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	bool values[GT__WHERE_TERMS_MAX];
	unsigned i, n = 0;

	for (i = 0; i < w->step_count; i++) {
		uint8_t step = w->steps[i];

		if (step == GT__STEP_NOT) {
			values[n - 1] = !values[n - 1];
		} else if (step == GT__STEP_AND) {
			n--;
			values[n - 1] = values[n - 1] && values[n];
		} else if (step == GT__STEP_OR) {
			n--;
			values[n - 1] = values[n - 1] || values[n];
		} else {
			values[n++] = term_holds(&w->terms[step], trace, span);
		}
	}
	return n && values[0];
}
