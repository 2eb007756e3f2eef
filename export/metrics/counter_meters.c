/* SPDX-License-Identifier: MIT */
/*
 * A counter's record as measurements: each number of it is one, named after the
 * counter and its field; texts and booleans are attributes of all of them.
 */
#include "metrics_inside.h"
#include "export/out/unit.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a key says ----------------------------------------------------- */

static bool take_sign(struct gt_text *text, char sign)
{
	if (!text->count || text->bytes[0] != sign)
		return false;
	text->bytes++;
	text->count--;
	return true;
}

void gt__split_unit(struct gt_text *key, struct gt_text *ret_unit,
                    enum gt__metric_kind *ret_kind)
{
	struct gt_text unit, name = *key;

	*ret_unit = GT__TEXT("");
	*ret_kind = GT__GAUGE;
	if (!gt__cut_unit(&name, &unit) || unit.count > GT__METER_UNIT_MAX)
		return;
	if (take_sign(&unit, '+'))
		*ret_kind = take_sign(&unit, '-') ? GT__SUM : GT__TOTAL;
	*ret_unit = unit;
	*key = name;
}

/* The counter's name and the key, behind `guest.` where the host has it. */
static struct gt_text name_of(struct gt__metrics_run *run,
                              struct gt_text counter, struct gt_text key)
{
	struct gt__out *o = &run->name;
	const size_t prefix = sizeof GT__GUEST - 1;
	struct gt_text name;

	o->used = 0;
	gt__put(o, GT__GUEST);
	gt__put_bytes(o, counter.bytes, counter.count);
	if (counter.count && key.count)
		gt__put_char(o, '.');
	gt__put_bytes(o, key.bytes, key.count);
	if (o->error) {
		run->meters.error = o->error;
		return GT__TEXT("");
	}
	name = (struct gt_text){o->bytes + prefix, o->used - prefix};
	return gt__is_host_key(name) ? (struct gt_text){o->bytes, o->used}
	                             : name;
}

/* ---- Attributes ---------------------------------------------------------- */

static bool is_attribute(const struct gt_field *field)
{
	return field->type == GT_TYPE_STRING || field->type == GT_TYPE_BOOL;
}

static int by_key(const void *a, const void *b)
{
	const struct gt_text x = ((const struct gt_field *)a)->key;
	const struct gt_text y = ((const struct gt_field *)b)->key;
	size_t count = x.count < y.count ? x.count : y.count;
	int order = count ? memcmp(x.bytes, y.bytes, count) : 0;

	return order ? order : (x.count > y.count) - (x.count < y.count);
}

/* In the order of their keys, so that a set of them is one series. */
static size_t find_attributes(struct gt__metrics_run *run,
                              const struct gt_event_view *counter)
{
	size_t i, n = 0;

	if (gt__otlp_fields_room(&run->fields, counter->field_count) < 0) {
		run->meters.error = -ENOMEM;
		return 0;
	}
	for (i = 0; i < counter->field_count; i++)
		if (is_attribute(&counter->fields[i]) &&
		    !gt__otlp_comes_again(counter->fields, i,
		                          counter->field_count))
			run->fields.at[n++] = counter->fields[i];
	if (n > 1)
		qsort(run->fields.at, n, sizeof *run->fields.at, by_key);
	return n;
}

/* ---- Measurements -------------------------------------------------------- */

static bool take_number(const struct gt_field *field,
                        struct gt__number *ret_number)
{
	switch (field->type) {
	case GT_TYPE_U64:
		*ret_number = gt__number_of(field->value.u64);
		return true;
	case GT_TYPE_I64:
		*ret_number =
			(struct gt__number){false, {.i64 = field->value.i64}};
		return true;
	case GT_TYPE_F64:
		*ret_number = gt__number_f64(field->value.f64);
		return true;
	case GT_TYPE_BOOL:
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_POINTER:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break;
	}
	return false;
}

static double as_double(const struct gt__number *number)
{
	return number->is_double ? number->value.f64
	                         : (double)number->value.i64;
}

static bool falls(const struct gt__number *from, const struct gt__number *to)
{
	if (!from->is_double && !to->is_double)
		return to->value.i64 < from->value.i64;
	return as_double(to) < as_double(from);
}

/* A total that falls counts from anew: since the last time it was whole. */
static void measure(const struct gt__metrics_run *run,
                    struct gt__series *series, enum gt__metric_kind kind,
                    const struct gt__number *number,
                    const struct gt_event_view *counter)
{
	if (kind == GT__TOTAL && series->time_ns &&
	    falls(&series->number, number))
		series->start_ns = series->time_ns;
	series->number = *number;
	series->time_ns = counter->time_ns;
	if (!counter->span_id || !run->is_sampled)
		return;
	series->exemplar_count = 1;
	series->exemplars[0] = (struct gt__exemplar){
		.time_ns = counter->time_ns,
		.span_id = counter->span_id,
		.number = *number,
	};
	gt__exemplar_trace(&series->exemplars[0], counter->trace);
}

/* ---- Series that a site keeps -------------------------------------------- */

static bool make_sites(struct gt__metrics_run *run, uint32_t number)
{
	uint32_t room = run->numbers_room ? run->numbers_room * 2 : 64;
	struct gt__site_numbers *larger;

	if (number <= run->numbers_room)
		return true;
	larger = realloc(run->numbers, room * sizeof *larger);
	if (!larger) {
		run->meters.error = -ENOMEM;
		return false;
	}
	memset(larger + run->numbers_room, 0,
	       (room - run->numbers_room) * sizeof *larger);
	run->numbers = larger;
	run->numbers_room = room;
	return true;
}

/* Where it keeps them; NULL: nowhere. */
static struct gt__site_number *kept_by(struct gt__metrics_run *run,
                                       const struct gt_site_view *site)
{
	uint32_t number = 0;
	bool is_new;

	if (gt__intern(&run->counter_sites, site, &number, &is_new) < 0)
		run->meters.error = -ENOMEM;
	if (!number || number > GT__SITES_KEPT || !make_sites(run, number))
		return NULL;
	return run->numbers[number - 1].fields;
}

/* Whether the series of the field was there, and has the number now. */
static bool measure_kept(const struct gt__metrics_run *run,
                         const struct gt__site_number *kept,
                         const struct gt_event_view *counter,
                         const struct gt_field *field)
{
	struct gt__number number;

	if (!kept->series || kept->key != field->key.bytes ||
	    !take_number(field, &number) || !isfinite(as_double(&number)))
		return false;
	measure(run, kept->series, kept->kind, &number, counter);
	return true;
}

static void measure_field(struct gt__metrics_run *run,
                          const struct gt_event_view *counter,
                          const struct gt_field *field, size_t attributes,
                          struct gt__site_number *kept)
{
	const struct gt_field target = {
		.key = GT__TEXT("guesttrace.target"),
		.type = GT_TYPE_STRING,
		.value.text = counter->site->target,
	};
	struct gt__meter_kind kind = {.description = ""};
	struct gt_text key = field->key;
	struct gt__number number;
	struct gt__series *series;

	if (!take_number(field, &number))
		return;
	gt__split_unit(&key, &kind.unit, &kind.kind);
	kind.name = name_of(run, counter->site->name, key);
	if (!isfinite(as_double(&number)) || !kind.name.count ||
	    kind.name.count > GT__METER_NAME_MAX) {
		run->unusable++;
		return;
	}
	series = gt__meters_series(&run->meters, &kind, &target,
	                           target.value.text.count != 0, run->fields.at,
	                           attributes, true);
	if (!series) {
		run->overflow++;
		return;
	}
	measure(run, series, kind.kind, &number, counter);
	if (kept)
		*kept = (struct gt__site_number){field->key.bytes, series,
		                                 kind.kind};
}

void gt__measure_counter(struct gt__metrics_run *run,
                         const struct gt_event_view *counter)
{
	size_t attributes = find_attributes(run, counter), i;
	struct gt__site_number *kept =
		attributes ? NULL : kept_by(run, counter->site);

	for (i = 0; i < counter->field_count && !run->meters.error; i++) {
		const struct gt_field *field = &counter->fields[i];
		struct gt__site_number *own =
			kept && i < GT__SITE_FIELDS ? &kept[i] : NULL;

		if (!gt__otlp_comes_again(counter->fields, i,
		                          counter->field_count) &&
		    !(own && measure_kept(run, own, counter, field)))
			measure_field(run, counter, field, attributes, own);
	}
}
